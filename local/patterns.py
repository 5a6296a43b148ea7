"""What is read in a record: whether a pattern lets it through, and the value at a path.

Of EventBridge's pattern language, fields that equal one of several strings, begin with one, or are
not there, which is what the template uses. Whatever else is refused when the template is read,
never passed over.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from local.console import LocalCloudError

_ABSENT = {"exists": False}
_PATH = re.compile(r"\$((?:\.[A-Za-z_][A-Za-z0-9_]*)+)")


def matcher(pattern: str) -> Callable[[Any], bool]:
    """Return the test that *pattern*, as JSON text, puts to a record."""
    try:
        rule = json.loads(pattern)
    except ValueError as error:
        raise LocalCloudError(f"A filter's pattern is not JSON: {pattern}") from error
    if not isinstance(rule, dict):
        raise _unsupported(rule)
    _check(rule)
    return lambda record: _matches(rule, record)


def _check(rule: dict[str, Any]) -> None:
    for name, condition in rule.items():
        if name.startswith("$"):
            raise _unsupported({name: condition})
        if isinstance(condition, dict) and condition:
            _check(condition)
        elif not (
            isinstance(condition, list)
            and condition
            and all(isinstance(value, str) or _is_known(value) for value in condition)
        ):
            raise _unsupported({name: condition})


def _is_known(value: object) -> bool:
    match value:
        case {"prefix": str(), **others}:
            return not others
        case {"exists": False, **others}:
            return not others
    return False


def _unsupported(rule: object) -> LocalCloudError:
    return LocalCloudError(
        "The local cloud knows patterns of exact strings, prefixes and absence alone, not "
        f"{json.dumps(rule)}."
    )


def _matches(rule: Any, value: Any) -> bool:
    if isinstance(value, list):  # any element will do
        return any(_matches(rule, element) for element in value)
    if isinstance(rule, list):
        if isinstance(value, dict):  # no leaf, and only those exist to EventBridge
            return _ABSENT in rule
        return any(_equals(wanted, value) for wanted in rule)
    found = value if isinstance(value, dict) else {}
    return all(
        _matches(condition, found[name]) if name in found else _holds_of_nothing(condition)
        for name, condition in rule.items()
    )


def _holds_of_nothing(rule: Any) -> bool:
    """Return whether *rule* asks for nothing but that there is nothing."""
    if isinstance(rule, list):
        return _ABSENT in rule
    return all(map(_holds_of_nothing, rule.values()))


def _equals(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return "prefix" in wanted and isinstance(value, str) and value.startswith(wanted["prefix"])
    return bool(value == wanted)


def reader(parameter: str) -> Callable[[Any], str]:
    """Return what gives *parameter* its value for a record: the value at its path, or itself."""
    if not parameter.startswith("$"):
        return lambda _record: parameter
    found = _PATH.fullmatch(parameter)
    if found is None:
        raise LocalCloudError(f"The local cloud cannot follow the path {parameter}.")
    names = found[1][1:].split(".")
    return lambda record: _value(record, names, parameter)


def _value(record: Any, names: list[str], parameter: str) -> str:
    for name in names:
        if not isinstance(record, dict) or name not in record:
            raise LocalCloudError(f"A record has nothing at {parameter}.")
        record = record[name]
    return str(record)
