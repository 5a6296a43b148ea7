import hashlib
import re

import pytest

from vitals.runtime.api_keys import digest, looks_right, make_key

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEYS = [make_key() for _ in range(5)] + [make_key(live=False)]


def test_a_key_says_what_it_is_for_and_looks_right() -> None:
    assert re.fullmatch(r"vt_live_[0-9A-Za-z]{38}", make_key())
    assert re.fullmatch(r"vt_test_[0-9A-Za-z]{38}", make_key(live=False))
    assert all(looks_right(key) for key in KEYS)


def test_no_two_keys_are_the_same() -> None:
    assert len({make_key() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("number", range(len(KEYS)))
def test_every_substitution_of_one_character_is_caught(number: int) -> None:
    key = KEYS[number]
    start = len("vt_live_")
    wrong = [
        key[:at] + other + key[at + 1 :]
        for at in range(start, len(key))
        for other in ALPHABET
        if other != key[at]
    ]
    assert len(wrong) == 38 * 61
    assert not any(map(looks_right, wrong))


@pytest.mark.parametrize("number", range(len(KEYS)))
def test_every_transposition_of_neighbours_is_caught(number: int) -> None:
    key = KEYS[number]
    start = len("vt_live_")
    pairs = [at for at in range(start, len(key) - 1) if key[at] != key[at + 1]]
    wrong = [key[:at] + key[at + 1] + key[at] + key[at + 2 :] for at in pairs]
    assert len(wrong) > 25
    assert not any(map(looks_right, wrong))


@pytest.mark.parametrize("number", range(len(KEYS)))
def test_what_is_cut_or_joined_is_caught(number: int) -> None:
    key = KEYS[number]
    others = [key[:-1], key[1:], key + "0", f" {key}", f"{key}\n", key.lower(), key.upper()]
    others += ["", "vt_live_", key.replace("live", "test").replace("test", "live", 1)]
    others += [key.replace("vt_", "sk_"), key[:20] + "é" + key[21:], key[:20] + "٣" + key[21:]]
    assert [other for other in others if other != key and looks_right(other)] == []


def test_a_live_key_is_no_test_key() -> None:
    assert not looks_right(KEYS[0].replace("vt_live_", "vt_test_"))


def test_only_a_hash_of_a_key_is_kept() -> None:
    key = make_key()
    assert digest(key) == hashlib.sha256(key.encode()).hexdigest()
    assert key not in digest(key)
