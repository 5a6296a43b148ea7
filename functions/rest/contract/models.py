"""The health model: its shape, what may be changed of it, and its versions (LU-046, 047)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contract.shape import (
    CURSOR,
    LEFT_OUT,
    Described,
    Id,
    Instant,
    Page,
    Sent,
    Shape,
    Share,
    limit,
)

_Weights = Annotated[
    dict[str, Annotated[float, Field(ge=0, le=100)]],
    Field(max_length=200, examples=[{"logins": 20, "adoption": 20}]),
]
_Document = Annotated[dict[str, Any], Field(max_length=200)]


class ModelDimension(Shape):
    """One group of signals."""

    weight: Annotated[float, Field(ge=0, le=100, examples=[50], description="In percent")]
    share: Annotated[Share, Field(description="Of all weight; the shares add up to 1")]
    signals: Annotated[list[str], Field(examples=[["logins", "adoption"]])]


class HealthModel(Shape):
    """How the tenant scores."""

    version: Annotated[int, Field(ge=1, examples=[1])]
    weights: Annotated[dict[str, float], Field(examples=[{"logins": 25, "adoption": 25}])]
    total_weight: Annotated[float, Field(examples=[100])]
    dimensions: dict[str, ModelDimension]
    signals: Annotated[
        dict[str, Any],
        Field(
            examples=[
                {
                    "logins": {
                        "weight": 25,
                        "dimension": "usage",
                        "curve": {"type": "linear", "zero": 0, "full": 30},
                        "minimum": 0,
                    }
                }
            ]
        ),
    ]
    bands: Annotated[dict[str, int], Field(examples=[{"critical": 0, "at_risk": 25}])]


class UpdatedHealthModel(HealthModel):
    """The model as it is then."""

    job_id: Annotated[Id | None, Field(description="The job that scores everybody by it")]
    unchanged: Annotated[bool, Field(examples=[False])]


class ModelVersion(Shape):
    """Who saved a version, when and how."""

    version: Annotated[int, Field(ge=1, examples=[1])]
    current: Annotated[bool, Field(examples=[True])]
    at: Instant | None
    by: Annotated[str | None, Field(examples=["01KJQ8ZJ9W3B0C6V4S7T2R5XYA"])]
    action: Annotated[str | None, Field(examples=["update_config"])]
    note: Annotated[str | None, Field(examples=["Usage counts more"])]


class ModelVersionPage(Page):
    """One page of versions, newest first."""

    data: list[ModelVersion]


class WholeModelVersion(HealthModel, ModelVersion):
    """One version of the model, whole."""


class HealthModelUpdate(Sent):
    """What is to change of the model: a JSON Merge Patch; null takes a signal out."""

    preset: Annotated[
        Literal["balanced", "usage_led"],
        Field(description="Weights to begin with: usage_led is 40/30/20/10 by dimension"),
    ] = LEFT_OUT
    weights: _Weights = LEFT_OUT
    normalize: Annotated[bool, Field(description="Scale the weights to total 100")] = LEFT_OUT
    signals: _Document = LEFT_OUT
    bands: Annotated[
        dict[str, Annotated[int, Field(ge=0, le=100)]],
        Field(max_length=5, examples=[{"healthy": 70}]),
    ] = LEFT_OUT
    missing_policy: Any = LEFT_OUT
    min_coverage: Share = LEFT_OUT
    low_confidence_below: Share = LEFT_OUT
    auto_lifecycle: bool = LEFT_OUT
    cadence: _Document = LEFT_OUT
    renewal_windows: _Document = LEFT_OUT
    renewal_factors: _Document = LEFT_OUT
    quiet_after: Annotated[int, Field(ge=1, le=3650)] = LEFT_OUT
    momentum: _Document = LEFT_OUT
    expansion: _Document = LEFT_OUT
    event_days: Annotated[int, Field(ge=1, le=400, description="Days that raw events stay")] = (
        LEFT_OUT
    )
    time_zone: Annotated[str, Field(min_length=1, max_length=64, examples=["Europe/Berlin"])] = (
        LEFT_OUT
    )
    profiles: _Document = LEFT_OUT
    profile_rules: Annotated[list[dict[str, Any]], Field(max_length=200)] = LEFT_OUT
    rescore: Annotated[bool, Field(description="Whether everybody is scored by it")] = LEFT_OUT
    dry_run: Annotated[bool, Field(description="Only a job that tells what would move")] = LEFT_OUT
    note: Annotated[str, Field(min_length=1, max_length=4000)] = LEFT_OUT


DESCRIBED = {
    "getHealthModel": Described(
        summary="The health model",
        tag="Model",
        description="The weights, the bands, the dimensions, and each signal's curve.",
        answers={200: HealthModel},
        headers=("ETag",),
    ),
    "updateHealthModel": Described(
        summary="Change the health model",
        tag="Model",
        description="A new version, and a job that scores everybody by it. Dimensions follow from"
        " the signals' weights.",
        body=HealthModelUpdate,
        body_examples={
            "weights": {"weights": {"nps": 20, "tickets": 15}},
            "preset": {"preset": "usage_led"},
        },
        answers={200: UpdatedHealthModel},
        refusals=(403, 409),
        versioned=True,
        headers=("ETag",),
    ),
    "listModelVersions": Described(
        summary="List the model's versions",
        tag="Model",
        query=(limit(), CURSOR),
        answers={200: ModelVersionPage},
    ),
    "getModelVersion": Described(
        summary="One version of the model", tag="Model", answers={200: WholeModelVersion}
    ),
}
