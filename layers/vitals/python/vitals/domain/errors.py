"""Everything that can go wrong for a caller, each with a stable code and no HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that was refused: where, why (a stable code), and what to do about it."""

    field: str
    code: str
    message: str


class VitalsError(Exception):
    """A refusal whose *detail* tells the caller what was wrong, where, and what to do.

    *extra* members are added to the problem document as they are.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = dict(extra or {})


class ValidationError(VitalsError):
    """One or more fields were refused; every failing field is named."""

    code = "validation_error"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        first = errors[0]
        more = f" (and {len(errors) - 1} more, see errors)" if len(errors) > 1 else ""
        super().__init__(f"{first.field}: {first.message}{more}", errors=errors)


class UnprocessableError(ValidationError):
    """Fields that are well formed say what cannot be, as things stand (LU-086)."""

    code = "unprocessable"


class UnknownActionError(VitalsError):
    """The action is not one that the dispatcher knows."""

    code = "unknown_action"


class InvalidBodyError(VitalsError):
    """The body is not the JSON object that the action takes."""

    code = "invalid_body"


class InvalidCursorError(VitalsError):
    """The cursor was not issued for this query."""

    code = "invalid_cursor"


class ConflictingCredentialsError(VitalsError):
    """Two carriers bear two different keys."""

    code = "conflicting_credentials"


class UnauthenticatedError(VitalsError):
    """No key, or one that is mistyped, unknown, revoked or expired."""

    code = "unauthenticated"


class ForbiddenError(VitalsError):
    """The key is good but lacks a scope."""

    code = "forbidden"


class NotFoundError(VitalsError):
    """No such route."""

    code = "not_found"


class CustomerNotFoundError(VitalsError):
    """No such customer in this tenant."""

    code = "customer_not_found"


class ContactNotFoundError(VitalsError):
    """The customer has no such contact."""

    code = "contact_not_found"


class DuplicateContactError(VitalsError):
    """Another contact of the customer has that e-mail address."""

    code = "duplicate_contact"


class KeyNotFoundError(VitalsError):
    """No such API key in this tenant."""

    code = "key_not_found"


class KeyRevokedError(VitalsError):
    """The API key was revoked, which is for good."""

    code = "key_revoked"


class NoSandboxError(VitalsError):
    """The tenant has no sandbox for test keys."""

    code = "no_sandbox"


class ReportNotFoundError(VitalsError):
    """No report schedule, or no report's file, is under the id or the link."""

    code = "report_not_found"


class JobNotFoundError(VitalsError):
    """No such job in this tenant."""

    code = "job_not_found"


class JobOverError(VitalsError):
    """The job is over: nothing is left to cancel."""

    code = "job_over"


class ModelNotFoundError(VitalsError):
    """No such version of the tenant's model."""

    code = "model_not_found"


class RuleNotFoundError(VitalsError):
    """No such rule in this tenant."""

    code = "rule_not_found"


class AlertNotFoundError(VitalsError):
    """No such alert in this tenant."""

    code = "alert_not_found"


class ConnectionNotFoundError(VitalsError):
    """No such connection, or webhook subscription, in this tenant."""

    code = "connection_not_found"


class ConnectionExistsError(VitalsError):
    """Another connection has that name."""

    code = "connection_exists"


class ConnectionInUseError(VitalsError):
    """Rules or managers name the connection that was to go."""

    code = "connection_in_use"


class ConnectionDisabledError(VitalsError):
    """Nothing is sent over the connection until it is enabled."""

    code = "connection_disabled"


class ManagerNotFoundError(VitalsError):
    """No manager of that name has connections."""

    code = "manager_not_found"


class DeliveryNotFoundError(VitalsError):
    """No such delivery in this tenant, or it is older than deliveries are kept."""

    code = "delivery_not_found"


class InProgressError(VitalsError):
    """The first request of this Idempotency-Key is under way, or broke off."""

    code = "in_progress"


class TooManyError(VitalsError):
    """The tenant has as many of these as it may have."""

    code = "too_many"


class ProfileNotFoundError(VitalsError):
    """The model has no such profile."""

    code = "profile_not_found"


class ProfileInUseError(VitalsError):
    """Customers or rules name the profile that was to go."""

    code = "profile_in_use"


class TenantNotFoundError(VitalsError):
    """No such tenant."""

    code = "tenant_not_found"


class TenantSuspendedError(VitalsError):
    """The tenant is suspended: its keys open nothing until it is resumed."""

    code = "tenant_suspended"


class WeightsTotalError(VitalsError):
    """The weights do not total 100 %."""

    code = "weights_total"


class MethodNotAllowedError(VitalsError):
    """The action or route exists, for another method."""

    code = "method_not_allowed"


class DuplicateNameError(VitalsError):
    """Another customer has that name."""

    code = "duplicate_name"


class DuplicateExternalIdError(VitalsError):
    """Another customer has that external_id."""

    code = "duplicate_external_id"


class DuplicateEmailDomainError(VitalsError):
    """Another customer has that email_domain (LU-033)."""

    code = "duplicate_email_domain"


class AlreadyExistsError(VitalsError):
    """create_only was asked and the customer exists."""

    code = "already_exists"


class InTrashError(VitalsError):
    """The customer is soft-deleted; it can be restored until its purge date."""

    code = "in_trash"


class TenantExistsError(VitalsError):
    """The first tenant was made before."""

    code = "tenant_exists"


class VersionConflictError(VitalsError):
    """if_version named another version than the stored one."""

    code = "version_conflict"


class PreconditionFailedError(VitalsError):
    """The resource is not as If-Match says that it is."""

    code = "precondition_failed"


class PayloadTooLargeError(VitalsError):
    """The body, or the customer that it would make, is over its limit."""

    code = "payload_too_large"


class UnsupportedMediaTypeError(VitalsError):
    """The body is of a content type that is not JSON."""

    code = "unsupported_media_type"


class IdempotencyMismatchError(VitalsError):
    """The Idempotency-Key was used before, for another request."""

    code = "idempotency_key_reused"


class RateLimitedError(VitalsError):
    """The tenant's window is used up."""

    code = "rate_limited"


class BusyError(VitalsError):
    """The write was contended or throttled beyond the request's time; nothing was stored."""

    code = "busy"
