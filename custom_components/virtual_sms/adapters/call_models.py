"""The words all layers share about calls: what providers say of them, in one vocabulary.

As with messages, what a log must never show has no place in a `repr`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .models import LONGEST_ID, LONGEST_NAME, RejectReason, clean_record

KEYS = tuple("0123456789")
"""What may be pressed to acknowledge a call."""


class Direction(StrEnum):
    """Who called whom."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallState(StrEnum):
    """Where a call stands, whatever its provider calls it.

    ACKNOWLEDGED: the wanted key was pressed. REJECTED: somebody called the home,
    which did not answer.
    """

    QUEUED = "queued"
    RINGING = "ringing"
    ANSWERED = "answered"
    ACKNOWLEDGED = "acknowledged"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELED = "canceled"
    REJECTED = "rejected"

    @property
    def rank(self) -> int:
        """Say how far along a call is: a state never gives way to a lower one."""
        return min(_ORDER.index(self), _FINAL)

    @property
    def is_final(self) -> bool:
        """Say whether nothing can follow."""
        return self.rank == _FINAL


_ORDER = tuple(CallState)
_FINAL = _ORDER.index(CallState.COMPLETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """A text to be spoken, in a language given as `fr` or `fr-CA`."""

    text: str = field(repr=False)
    language: str
    repeat: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """A key that acknowledges a call.

    `prompt` asks for it and `thanks` confirms it, both in the language of the call.
    """

    digit: str
    prompt: str
    thanks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundCall:
    """One call to one person; `call_id` is ours and never changes."""

    call_id: str
    recipient: str = field(repr=False)
    speech: Speech
    key: KeyRequest | None = None
    created_at: datetime
    contact: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCall:
    """What the provider answered to a call that it accepted."""

    provider_id: str
    state: CallState = CallState.QUEUED

    def __post_init__(self) -> None:
        clean_record(self, provider_id=LONGEST_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall:
    """Somebody calls a number of ours, and the provider asks what they get to hear."""

    provider_id: str
    number: str = field(repr=False)
    caller: str = field(repr=False)

    def __post_init__(self) -> None:
        clean_record(
            self, provider_id=LONGEST_ID, number=LONGEST_NAME, caller=LONGEST_NAME
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """A call to a number of ours that has ended, as the provider's record has it."""

    call: IncomingCall
    state: CallState
    duration: int | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUpdate:
    """What the provider says of a call that it knows.

    `call_id` is ours when the callback carried it. `digits` are the keys that were
    just pressed: then the provider asks what the person gets to hear next.
    """

    provider_id: str
    state: CallState
    call_id: str | None = None
    digits: str | None = field(default=None, repr=False)
    duration: int | None = None
    reason: RejectReason | None = None
    error_code: str | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        clean_record(
            self,
            provider_id=LONGEST_ID,
            call_id=LONGEST_ID,
            digits=LONGEST_ID,
            error_code=LONGEST_NAME,
        )


type CallEvent = IncomingCall | CallUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReply:
    """What the person on the line gets: a sentence, and maybe a key to press.

    `call_id` is whose key that is. Without a sentence the call ends; one that rings
    is not even answered where it is `rejected`.
    """

    speech: Speech | None = None
    call_id: str | None = None
    rejected: bool = False
