"""Errors as problem documents (RFC 9457): one table from class to status."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from vitals.domain import errors

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[errors.VitalsError], int] = {
    errors.ValidationError: 400,
    errors.InvalidBodyError: 400,
    errors.InvalidCursorError: 400,
    errors.UnknownActionError: 400,
    errors.ConflictingCredentialsError: 400,
    errors.UnauthenticatedError: 401,
    errors.ForbiddenError: 403,
    errors.TenantSuspendedError: 403,
    errors.NotFoundError: 404,
    errors.CustomerNotFoundError: 404,
    errors.KeyNotFoundError: 404,
    errors.JobNotFoundError: 404,
    errors.ReportNotFoundError: 404,
    errors.ModelNotFoundError: 404,
    errors.ProfileNotFoundError: 404,
    errors.RuleNotFoundError: 404,
    errors.AlertNotFoundError: 404,
    errors.ConnectionNotFoundError: 404,
    errors.ContactNotFoundError: 404,
    errors.ManagerNotFoundError: 404,
    errors.DeliveryNotFoundError: 404,
    errors.TenantNotFoundError: 404,
    errors.MethodNotAllowedError: 405,
    errors.AlreadyExistsError: 409,
    errors.DuplicateNameError: 409,
    errors.DuplicateExternalIdError: 409,
    errors.DuplicateEmailDomainError: 409,
    errors.DuplicateContactError: 409,
    errors.InTrashError: 409,
    errors.VersionConflictError: 409,
    errors.TenantExistsError: 409,
    errors.KeyRevokedError: 409,
    errors.NoSandboxError: 409,
    errors.JobOverError: 409,
    errors.ProfileInUseError: 409,
    errors.ConnectionExistsError: 409,
    errors.ConnectionInUseError: 409,
    errors.ConnectionDisabledError: 409,
    errors.InProgressError: 409,
    errors.TooManyError: 409,
    errors.PreconditionFailedError: 412,
    errors.PayloadTooLargeError: 413,
    errors.UnsupportedMediaTypeError: 415,
    errors.IdempotencyMismatchError: 422,
    errors.UnprocessableError: 422,
    errors.WeightsTotalError: 422,
    errors.RateLimitedError: 429,
    errors.VitalsError: 500,
    errors.BusyError: 503,
}
"""The status of every error class; `VitalsError` itself is what nobody foresaw."""


def status_of(error: errors.VitalsError) -> int:
    """Return the HTTP status of *error*."""
    return STATUS[type(error)]


def problem(error: errors.VitalsError, instance: str, trace_id: str) -> dict[str, Any]:
    """Return the problem document of *error* (LU-078)."""
    status = status_of(error)
    return {
        "type": f"urn:vitals:error:{error.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.detail,
        "instance": instance,
        "code": error.code,
        "trace_id": trace_id,
        "errors": [
            {"field": each.field, "code": each.code, "message": each.message}
            for each in error.errors
        ],
        **error.extra,
    }
