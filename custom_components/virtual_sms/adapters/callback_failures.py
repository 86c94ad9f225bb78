"""How calls of a provider to us have failed, as it says itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FailureKind(StrEnum):
    """Why a provider's call did not get through to us."""

    CERTIFICATE = "certificate"
    HTTP_STATUS = "http_status"
    NAME_UNKNOWN = "name_unknown"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFailure:
    """A call of the provider's that failed; `status` is what it was answered."""

    at: datetime
    kind: FailureKind
    status: int | None = None
