"""What a report's book is filled under."""

import gc

import pytest

from vitals.usecases.report_book import kept


def test_nothing_looks_for_garbage_while_a_report_is_made_and_again_after() -> None:
    with kept():
        with kept():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_report_that_fails_leaves_the_search_for_garbage_on() -> None:
    with pytest.raises(LookupError), kept():
        raise LookupError
    assert gc.isenabled()
