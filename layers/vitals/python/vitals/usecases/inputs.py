"""Reading an action's parameters: aliases, blanks, unknown fields, every error at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import ErrorDetails

from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.instants import is_unrendered
from vitals.usecases.fields import Flag, Name, Short, whole

Warning_ = dict[str, Any]
FREE_TEXT = ("note", "override_reason")
"""Fields in which somebody may write about templates."""


class Input(BaseModel):
    """The parameters of one action; what was sent is in model_fields_set."""

    model_config = ConfigDict(frozen=True, defer_build=True, arbitrary_types_allowed=True)

    aliases: ClassVar[Mapping[str, str]] = {}

    strict: Flag = False


class Reference(Input):
    """Which customer: by id, else external_id, else name (AMB-11)."""

    id: Short | None = None
    external_id: Short | None = None
    name: Name | None = None


class WriteOptions(Input):
    """What any write takes: a preview, and a guard on the version."""

    dry_run: Flag = False
    if_version: Annotated[int, whole(0, 2**53)] | None = None


class WriteReference(Reference, WriteOptions):
    """A customer to write to."""


AnyInput = TypeVar("AnyInput", bound=Input)


def read(
    kind: type[AnyInput], given: Mapping[str, Any], *, also: Iterable[str] = ()
) -> tuple[AnyInput, list[Warning_], dict[str, Any]]:
    """Return *given* as *kind*, the warnings, and the values of the names in *also*.

    A blank string is a field not given, as Zapier sends it. Raises ValidationError naming every
    field that was refused.
    """
    extra = frozenset(also)
    known = kind.model_fields.keys() | extra
    values, warnings, errors = _named(kind, given, known)
    try:
        parsed = kind.model_validate({k: v for k, v in values.items() if k not in extra})
    except PydanticValidationError as refused:
        errors += [_field_error(detail) for detail in refused.errors()]
        raise ValidationError(errors) from None
    if parsed.strict:
        errors += unknown_errors(warnings)
    if errors:
        raise ValidationError(errors)
    return parsed, warnings, {name: value for name, value in values.items() if name in extra}


def unknown_field(field: str, known: Iterable[str]) -> Warning_:
    """Return the warning about a field that no one reads, with the likeliest meant (AMB-57)."""
    import difflib  # noqa: PLC0415 - only mistakes pay for it

    close = difflib.get_close_matches(field.casefold(), sorted(known), n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else ""
    return {
        "code": "unknown_field",
        "field": field,
        "did_you_mean": close[0] if close else None,
        "message": f"is no field that is read here{hint}",
    }


def unknown_errors(warnings: Iterable[Warning_]) -> list[FieldError]:
    """Return what of *warnings* `strict` makes an error."""
    return [
        FieldError(warning["field"], warning["code"], warning["message"])
        for warning in warnings
        if warning["code"] == "unknown_field"
    ]


def unrendered(field: str) -> Warning_:
    """Return the warning about a field that is still a template (AMB-06)."""
    return {
        "code": "unrendered_template",
        "field": field,
        "message": "still holds {{…}}, which its sender did not fill in: it counts as not given",
    }


def _named(
    kind: type[Input], given: Mapping[str, Any], known: Iterable[str]
) -> tuple[dict[str, Any], list[Warning_], list[FieldError]]:
    """Return *given* under the fields' own names, without blanks, and what was wrong with it."""
    names = set(known)
    values: dict[str, Any] = {}
    warnings: list[Warning_] = []
    errors: list[FieldError] = []
    for field, value in given.items():
        name = field if field in names else kind.aliases.get(field, field)
        if name not in names:
            warnings.append(unknown_field(field, names))
            continue
        if isinstance(value, str):
            if not value.strip():
                continue
            if is_unrendered(value, whole=name in FREE_TEXT):
                warnings.append(unrendered(field))
                continue
        if name in values and values[name] != value:
            errors.append(FieldError(field, "conflicting_fields", f"says other than {name} does"))
        values[name] = value
    return values, warnings, errors


def _field_error(detail: ErrorDetails) -> FieldError:
    code = "required" if detail["type"] == "missing" else detail["type"]
    return FieldError(".".join(str(part) for part in detail["loc"]), code, detail["msg"])
