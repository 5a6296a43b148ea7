"""docs/scoring.md: its tables are recomputed from their own cells, and by the product."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.builders import NOW, TODAY, a_customer, a_model

from vitals.domain.view import customer_view

DOCUMENT = Path(__file__).parents[2] / "docs" / "scoring.md"
Row = dict[str, str]


def tables() -> Iterator[list[Row]]:
    """Yield every table of the document, a row as its cells by their column."""
    for block in re.findall(r"(?:^\|.*\n)+", DOCUMENT.read_text(), re.MULTILINE):
        rows = [
            [cell.strip().replace("*", "") for cell in line.strip("|").split("|")]
            for line in block.splitlines()
        ]
        header, _, *body = rows
        yield [dict(zip(header, cells, strict=True)) for cells in body]


def table(*columns: str) -> list[list[Row]]:
    """Return the tables that have exactly these *columns*."""
    found = [rows for rows in tables() if tuple(rows[0]) == columns]
    assert found, columns
    return found


[SIGNALS] = table("signal", "meaning", "weight", "points")
[BANDS] = table("status", "from score")
WORKED = table("signal", "value", "points", "weight", "contribution")
[POLICIES] = table("missing_policy", "a missing signal has", "score_exact", "score", "status")
[DECAY] = table("days", "points of days", "score_exact", "score", "status")
[PRIORITIES] = table(
    "score", "mrr", "portfolio_mrr", "days until renewal", "renewal factor", "priority_score"
)
WEIGHTS = {row["signal"]: Fraction(row["weight"]) for row in SIGNALS}


def points(signal: str, value: str) -> Fraction:
    """Return the points that the document's own curve gives *value*."""
    [described] = [row["points"] for row in SIGNALS if row["signal"] == signal]
    kind, _, rest = described.partition(" ")
    anchors = [pair.split(" → ") for pair in rest.split(", ")]
    if kind == "words":
        return next(Fraction(worth) for option, worth in anchors if option == value)
    places = [(Fraction(at), Fraction(worth)) for at, worth in anchors]
    if kind == "steps":
        return next(worth for at, worth in reversed(places) if at <= Fraction(value))
    (zero, none), (full, whole) = places
    assert [none, whole] == [0, 100]
    return max(Fraction(0), min(whole, whole * (Fraction(value) - zero) / (full - zero)))


def score(values: Mapping[str, str], missing: str = "exclude") -> Fraction:
    """Return the score of *values* by the document's formula."""
    rows = {name: (WEIGHTS[name], points(name, value)) for name, value in values.items()}
    if missing != "exclude":
        for name in WEIGHTS.keys() - rows:
            rows[name] = WEIGHTS[name], Fraction(missing)
    return sum((w * p for w, p in rows.values()), Fraction(0)) / sum(w for w, _ in rows.values())


def rounded(exact: Fraction, places: str) -> Decimal:
    plain = Decimal(exact.numerator) / Decimal(exact.denominator)
    return plain.quantize(Decimal(places), ROUND_HALF_UP)


def status(exact: Fraction) -> str:
    whole = int(rounded(exact, "1"))
    return [row["status"] for row in BANDS if int(row["from score"]) <= whole][-1]


def typed(value: str) -> Any:
    return Decimal(value) if value[0].isdigit() else value


def shown(values: Mapping[str, str], days_later: int = 0, **model: Any) -> dict[str, Any]:
    """Return what the product shows of a customer with *values*, and *days_later*."""
    days = values.get("days")
    customer = a_customer(
        signals={name: typed(value) for name, value in values.items() if name != "days"},
        last_contact_on=TODAY - timedelta(days=int(days)) if days else None,
    )
    return customer_view(customer, a_model(**model), NOW + timedelta(days=days_later), UTC, 0)


def values_of(rows: list[Row]) -> dict[str, str]:
    return {row["signal"]: row["value"] for row in rows if row["signal"] != "score"}


def test_the_documented_model_is_the_default_one() -> None:
    assert {row["signal"]: Decimal(row["weight"]) for row in SIGNALS} == {
        signal.name: Decimal(signal.weight) / 10_000 for signal in a_model().signals
    }
    assert [(row["status"], int(row["from score"])) for row in BANDS] == list(a_model().bands)


@pytest.mark.parametrize("signal", WEIGHTS)
def test_the_documented_curves_are_the_default_ones(signal: str) -> None:
    curve = a_model().by_name[signal].curve
    numbers = [str(number) for number in range(401)]
    for value in a_model().by_name[signal].options or numbers:
        assert Fraction(*curve.points(typed(value))) == points(signal, value)


@pytest.mark.parametrize("number", range(len(WORKED)))
def test_a_worked_table_adds_up(number: int) -> None:
    *parts, total = WORKED[number]
    values = values_of(parts)
    exact = score(values)
    for part in parts:
        worth = points(part["signal"], part["value"])
        assert Decimal(part["points"]) == rounded(worth, ".0001")
        assert Fraction(part["weight"]) == WEIGHTS[part["signal"]]
        own = worth * WEIGHTS[part["signal"]] / Fraction(total["weight"])
        assert abs(Fraction(part["contribution"]) - own) < Fraction(1, 10_000)
    assert sum(Decimal(part["contribution"]) for part in parts) == Decimal(total["contribution"])
    assert Decimal(total["contribution"]) == rounded(exact, ".0001")
    assert Fraction(total["weight"]) == sum(WEIGHTS[name] for name in values)
    assert total["points"] == f"{rounded(exact, '1')} {status(exact)}"


@pytest.mark.parametrize("number", range(len(WORKED)))
def test_a_worked_table_is_what_the_product_answers(number: int) -> None:
    *parts, total = WORKED[number]
    view = shown(values_of(parts))
    answered = {part["signal"]: part for part in view["contributions"]}
    assert answered.keys() == values_of(parts).keys()
    for part in parts:
        for cell in ("points", "weight", "contribution"):
            assert answered[part["signal"]][cell] == Decimal(part[cell])
    assert view["score_exact"] == Decimal(total["contribution"])
    assert f"{view['score']} {view['status']}" == total["points"]


@pytest.mark.parametrize("row", POLICIES, ids=lambda row: row["missing_policy"])
def test_the_table_of_missing_policies(row: Row) -> None:
    values = values_of(WORKED[0])
    name, _, neutral = row["missing_policy"].partition(" ")
    policy: Any = {"neutral": int(neutral)} if neutral else name
    exact = score(values, {"zero": "0"}.get(name, neutral or name))
    assert Decimal(row["score_exact"]) == rounded(exact, ".0001")
    assert (Decimal(row["score"]), row["status"]) == (rounded(exact, "1"), status(exact))
    view = shown(values, missing_policy=policy)
    assert view["score_exact"] == Decimal(row["score_exact"])
    assert (str(view["score"]), view["status"]) == (row["score"], row["status"])
    assert view["coverage"] == Decimal("0.7")


@pytest.mark.parametrize("row", DECAY, ids=lambda row: f"{row['days']} days")
def test_the_table_of_decay(row: Row) -> None:
    values = values_of(WORKED[2])
    exact = score({**values, "days": row["days"]})
    assert Decimal(row["points of days"]) == rounded(points("days", row["days"]), ".0001")
    assert Decimal(row["score_exact"]) == rounded(exact, ".0001")
    assert (Decimal(row["score"]), row["status"]) == (rounded(exact, "1"), status(exact))
    view = shown(values, days_later=int(row["days"]) - int(values["days"]))
    assert view["score_exact"] == Decimal(row["score_exact"])
    assert (str(view["score"]), view["status"]) == (row["score"], row["status"])


@pytest.mark.parametrize("row", PRIORITIES, ids=lambda row: f"{row['days until renewal']} days")
def test_the_table_of_priorities(row: Row) -> None:
    risk = (100 - Fraction(row["score"])) / 100
    share = Fraction(row["mrr"]) / Fraction(row["portfolio_mrr"])
    product = risk * share * Fraction(row["renewal factor"])
    assert Fraction(row["priority_score"]) == product
    customer = a_customer(
        signals={"adoption": int(row["score"])},
        mrr=int(row["mrr"]),
        renewal_date=TODAY + timedelta(days=int(row["days until renewal"])),
    )
    view = customer_view(customer, a_model(), NOW, UTC, int(row["portfolio_mrr"]))
    assert view["priority_score"] == Decimal(row["priority_score"])
    assert view["priority"]["renewal_factor"] == Decimal(row["renewal factor"])


def test_every_number_in_the_prose_about_rounding_holds() -> None:
    assert (shown({"adoption": "79.5"})["score"], status(Fraction("79.5"))) == (80, "expansion")
    assert (shown({"adoption": "79.49"})["score"], status(Fraction("79.49"))) == (79, "healthy")
    assert [shown({"days": days})["score"] for days in ("0", "180")] == [100, 0]
