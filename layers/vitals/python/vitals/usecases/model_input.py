"""The shape of a model's document as callers send it; what holds across it is in model_rules."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    StringConstraints,
)
from pydantic import ValidationError as PydanticValidationError

from vitals.domain.computed import AGGREGATES, DEFAULTS, LONGEST_WINDOW
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.numbers import Number
from vitals.usecases.fields import (
    Flag,
    Lifecycle,
    Name,
    Short,
    Tags,
    Tier,
    bounded,
    one_of,
    refuse,
    text,
    whole,
)

MAX_SIGNALS = 100
MAX_STEPS = 50
MAX_OPTIONS = 50
MAX_PROFILES = 50
MAX_RULES = 100
MAX_EVENT_NAMES = 50
DECIMALS = 10_000
"""Weights, and the grids of signals, have at most four decimals."""

_CURVES = ("linear", "step", "half_life", "power", "choice")


def _range(minimum: Number | None, maximum: Number | None, *, grid: bool = False) -> Any:
    def read(raw: object) -> Number:
        found = bounded(raw, minimum, maximum)
        if grid and found * DECIMALS % 1:
            refuse("too_precise", "must have at most four decimals")
        return found

    schema = Annotated[float, Field(ge=minimum, le=maximum)]
    return PlainValidator(read, json_schema_input_type=schema)


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
AnyNumber = Annotated[Number, _range(None, None)]
Share = Annotated[Number, _range(0, 1)]
Points = Annotated[Number, _range(0, 100)]
Weight = Annotated[Number, _range(0, 100, grid=True)]
Days = Annotated[int, whole(1, 3650)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class LinearDocument(_Document):
    """Straight from no points at *zero* to 100 at *full*."""

    type: Literal["linear"]
    zero: AnyNumber
    full: AnyNumber


class StepDocument(_Document):
    """Points from each bound on."""

    type: Literal["step"]
    steps: Annotated[list[tuple[AnyNumber, Points]], Field(min_length=1, max_length=MAX_STEPS)]


class HalfLifeDocument(_Document):
    """100 points at nothing, halved with every *half_life*."""

    type: Literal["half_life"]
    half_life: Annotated[Number, _range(Decimal("0.01"), 10**6)]


class PowerDocument(_Document):
    """100·(1 − (value/zero)^(1/delta))."""

    type: Literal["power"]
    zero: Annotated[Number, _range(Decimal("0.01"), 10**6)]
    delta: Annotated[Number, _range(Decimal("0.1"), 10)]


class ChoiceDocument(_Document):
    """Points by word."""

    type: Literal["choice"]
    options: Annotated[dict[Name, Points], Field(min_length=1, max_length=MAX_OPTIONS)]


CurveDocument = Annotated[
    LinearDocument | StepDocument | HalfLifeDocument | PowerDocument | ChoiceDocument,
    Discriminator("type"),
]


def _missing(raw: object) -> Any:
    if isinstance(raw, dict) and raw.keys() == {"neutral"}:
        return {"neutral": bounded(raw["neutral"], 0, 100)}
    if raw not in ("exclude", "zero"):
        refuse("unknown_value", 'must be "exclude", "zero" or {"neutral": points from 0 to 100}')
    return raw


MissingDocument = Annotated[
    Any, PlainValidator(_missing, json_schema_input_type=str | dict[str, float])
]


class ComputedDocument(_Document):
    """How product events give a signal its value."""

    aggregate: Annotated[str, one_of(*AGGREGATES)]
    events: Annotated[list[Annotated[str, text(100)]], Field(max_length=MAX_EVENT_NAMES)] = []
    property: Annotated[str, text(100)] | None = None
    window_days: Annotated[int, whole(1, LONGEST_WINDOW)]


def _written_out(raw: object) -> object:
    if isinstance(raw, bool):
        known = ", ".join(DEFAULTS)
        refuse("unknown_value", f"true is the definition of {known} alone: write this one out")
    return raw


class SignalDocument(_Document):
    """One signal."""

    weight: Weight
    dimension: Slug = "other"
    curve: CurveDocument
    minimum: AnyNumber | None = None
    maximum: AnyNumber | None = None
    resolution: Annotated[Number, _range(Decimal("0.0001"), 10**6, grid=True)] | None = None
    missing_policy: MissingDocument | None = None
    aliases: Annotated[list[Slug], Field(max_length=10)] | None = None
    computed: Annotated[ComputedDocument | None, BeforeValidator(_written_out)] = None
    owner: Short | None = None


class BandsDocument(_Document):
    """The lowest score of each band."""

    critical: Annotated[int, whole(0, 0)] = 0
    at_risk: Annotated[int, whole(1, 100)]
    watch: Annotated[int, whole(1, 100)]
    healthy: Annotated[int, whole(1, 100)]
    expansion: Annotated[int, whole(1, 100)]


class CadenceDocument(_Document):
    """Days without contact after which a follow-up is due, and overdue."""

    due: Days
    overdue: Days


class TiersDocument(_Document):
    """A cadence for each tier."""

    enterprise: CadenceDocument
    mid: CadenceDocument
    smb: CadenceDocument


class WindowsDocument(_Document):
    """Days before a renewal at which each window opens."""

    critical: Days
    warning: Days
    upcoming: Days


class FactorsDocument(_Document):
    """What a renewal in each window counts in a priority."""

    critical: Share
    warning: Share
    upcoming: Share
    beyond: Share


class MomentumDocument(_Document):
    """A move of so many points in so many days is momentum (IQ-094)."""

    points: Annotated[int, whole(1, 100)]
    days: Annotated[int, whole(1, 30)]


class ExpansionDocument(_Document):
    """How much MRR an expansion-ready customer may add (IQ-102)."""

    method: Literal["mrr_percent"]
    percent: Annotated[Number, _range(0, 1000)]


class RuleDocument(_Document):
    """Which customers have a profile that have none of their own; the first rule that holds."""

    profile: Slug
    tiers: list[Tier] = []
    tags: Tags = ()
    lifecycles: list[Lifecycle] = []


class ModelDocument(_Document):
    """Every setting of a model (IQ-077 to 086, 093, 094, 100 to 102; AMB-25 to 28, 33, 45)."""

    signals: Annotated[dict[Slug, SignalDocument], Field(max_length=MAX_SIGNALS)]
    bands: BandsDocument
    missing_policy: MissingDocument
    min_coverage: Share
    low_confidence_below: Share
    auto_lifecycle: Flag
    cadence: TiersDocument
    renewal_windows: WindowsDocument
    renewal_factors: FactorsDocument
    quiet_after: Days
    momentum: MomentumDocument
    expansion: ExpansionDocument
    time_zone: Annotated[str, StringConstraints(max_length=64)]
    event_days: Annotated[int, whole(1, 400)]
    profiles: Annotated[dict[Slug, dict[Slug, Weight]], Field(max_length=MAX_PROFILES)]
    profile_rules: Annotated[list[RuleDocument], Field(max_length=MAX_RULES)]


def shaped(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return *document* in its one form. Raises ValidationError naming every field at fault."""
    try:
        parsed = ModelDocument.model_validate(_with_defaults(document))
    except PydanticValidationError as refused:
        raise ValidationError(
            [
                FieldError(_path(detail["loc"]), _code(detail["type"]), _message(detail))
                for detail in refused.errors()
            ]
        ) from None
    found: dict[str, Any] = plain(parsed.model_dump(exclude_none=True))
    return found


def _with_defaults(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *document* with the definition written out where `true` stands for one."""
    signals = document.get("signals")
    if not isinstance(signals, dict):
        return document
    written = {
        name: {**given, "computed": DEFAULTS[name].document}
        for name, given in signals.items()
        if isinstance(given, dict) and given.get("computed") is True and name in DEFAULTS
    }
    return {**document, "signals": {**signals, **written}} if written else document


def plain(value: Any) -> Any:
    """Return *value* with lists for tuples, as it will be read back."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _path(place: tuple[int | str, ...]) -> str:
    """Return where a field is, without what pydantic says of the variants that it tried."""
    parts = [
        str(part)
        for index, part in enumerate(place)
        if not (part in _CURVES and index and place[index - 1] == "curve")
    ]
    return ".".join(parts)


_CODES = {"missing": "required", "extra_forbidden": "unknown_field"}


def _code(kind: str) -> str:
    return _CODES.get(kind, kind)


def _message(detail: Any) -> str:
    if detail["type"] == "extra_forbidden":
        return "is no setting that is read here"
    return str(detail["msg"])
