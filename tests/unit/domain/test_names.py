import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vitals.domain.customer import normalised_name


@pytest.mark.parametrize(
    "spelling",
    [
        "Acme Corp",
        "ACME CORP",
        "  acme   corp ",
        "Acme\tCorp",
        "Acme\u00a0Corp",  # a space that does not break
        "Acme\u3000Corp",  # the wide space
        "\uff21\uff43\uff4d\uff45 Corp",  # wide letters
        "Acme Corp\n",
    ],
)
def test_spellings_of_one_name_are_one(spelling: str) -> None:
    assert normalised_name(spelling) == "acme corp"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),  # composed, and letter with accent
        ("\ufb01ne", "fine"),  # a ligature
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Ⅷ", "viii"),
        ("\u1e9e", "ss"),
        ("ß\u0301", "ss\u0301"),  # what folding makes is composed again
    ],
)
def test_unicode_variants_are_one(one: str, other: str) -> None:
    assert normalised_name(one) == normalised_name(other)


@pytest.mark.parametrize(("one", "other"), [("Acme", "Acme 2"), ("cafe", "café"), ("a b", "ab")])
def test_other_names_stay_other(one: str, other: str) -> None:
    assert normalised_name(one) != normalised_name(other)


@given(st.text(max_size=20))
@example("\u1fb7")
@example("\u0345\u0301")
@example("\u00a8x")
@settings(max_examples=300)
def test_a_normalised_name_is_its_own(name: str) -> None:
    once = normalised_name(name)
    assert normalised_name(once) == once
    assert normalised_name(f"  {name} ") == once
    assert normalised_name(name.upper().lower()) == normalised_name(name.upper())
