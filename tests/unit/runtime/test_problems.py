"""Every error class has a status and a code of its own, and a 500 shows nothing."""

import inspect
import json
from collections.abc import Iterator

import pytest

from vitals.domain import errors
from vitals.domain.errors import FieldError, ValidationError, VitalsError
from vitals.runtime.http import Request
from vitals.runtime.problems import MEDIA_TYPE, STATUS, problem, status_of
from vitals.runtime.serve import refusal


def classes(of: type[VitalsError] = VitalsError) -> Iterator[type[VitalsError]]:
    yield of
    for each in of.__subclasses__():
        yield from classes(each)


EVERY = list(classes())
REQUEST = Request("POST", "/functions/v1/api-inbound", {}, {}, b"", "trace-1")


def an_error(kind: type[VitalsError], **extra: object) -> VitalsError:
    if issubclass(kind, ValidationError):
        return kind([FieldError("nps", "out_of_range", "must be from 0 to 10, is 11")])
    return kind("what was wrong", extra=extra)


def test_every_error_class_has_a_row_and_every_row_a_class() -> None:
    declared = {
        each
        for _, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, Exception)
    }
    assert declared == set(EVERY) == set(STATUS)


def test_every_class_has_a_code_of_its_own() -> None:
    codes = [each.code for each in EVERY]
    assert len(set(codes)) == len(codes)
    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)
    assert all("code" in vars(each) for each in EVERY)


@pytest.mark.parametrize("kind", EVERY)
def test_a_problem_document_says_all_that_it_must(kind: type[VitalsError]) -> None:
    shown = problem(an_error(kind), "/functions/v1/api-inbound", "trace-1")
    assert shown.keys() == {
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "code",
        "trace_id",
        "errors",
    }
    assert shown["type"] == f"urn:vitals:error:{kind.code}"
    assert (shown["code"], shown["trace_id"]) == (kind.code, "trace-1")
    assert shown["instance"] == "/functions/v1/api-inbound"
    assert shown["status"] == status_of(an_error(kind)) == STATUS[kind]
    assert 400 <= shown["status"] <= 599
    assert shown["title"]


def test_each_refused_field_is_in_it() -> None:
    shown = problem(an_error(ValidationError), "/", "trace-1")
    assert shown["errors"] == [
        {"field": "nps", "code": "out_of_range", "message": "must be from 0 to 10, is 11"}
    ]
    assert shown["detail"] == "nps: must be from 0 to 10, is 11"


def test_what_an_error_adds_is_a_member() -> None:
    error = errors.VersionConflictError("…", extra={"if_version": 3, "version": 5})
    shown = problem(error, "/", "trace-1")
    assert (shown["if_version"], shown["version"]) == (3, 5)


def test_a_500_shows_its_trace_id_and_nothing_else() -> None:
    response = refusal(VitalsError("something went wrong on our side"), REQUEST)
    assert response.status == 500
    text = json.dumps(response.body)
    assert "trace-1" in text
    assert response.body["errors"] == []
    assert response.body["detail"] == "something went wrong on our side"


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (
            errors.UnauthenticatedError("…"),
            {"WWW-Authenticate": 'Bearer realm="vitals", Basic realm="vitals"'},
        ),
        (errors.RateLimitedError("…", extra={"retry_after": 17}), {"Retry-After": "17"}),
        (errors.BusyError("…", extra={"retry_after": 1}), {"Retry-After": "1"}),
        (errors.BusyError("…"), {"Retry-After": "1"}),
        (
            errors.MethodNotAllowedError("…", extra={"allow": ["GET", "POST"]}),
            {"Allow": "GET, POST"},
        ),
        (errors.ForbiddenError("…"), {}),
        (errors.ConflictingCredentialsError("…"), {}),
    ],
)
def test_the_headers_that_a_refusal_needs(error: VitalsError, headers: dict[str, str]) -> None:
    assert refusal(error, REQUEST).headers == {"Content-Type": MEDIA_TYPE, **headers}


def test_a_401_is_about_the_key_and_nothing_else() -> None:
    # Zapier takes a 401 for a key that expired.
    assert [each for each in EVERY if STATUS[each] == 401] == [errors.UnauthenticatedError]
