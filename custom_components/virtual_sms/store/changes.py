"""What is published: the three things that happen to a number."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ..adapters.call_models import CallState, Direction
from ..adapters.costs import Cost
from ..adapters.models import DeliveryStatus, InboundMessage, RejectReason


class Trust(StrEnum):
    """Whether who wrote is whom they seem to be, and may command.

    OUTDATED: they are, and may, but the message is too old for a command. To the outside
    it is unproven.
    """

    UNKNOWN = "unknown"
    KNOWN = "known"
    TRUSTED = "trusted"
    UNPROVEN = "unproven"
    LOCKED = "locked"
    OUTDATED = "outdated"

    @property
    def shown(self) -> Trust:
        """Return what is told of it outside."""
        return Trust.UNPROVEN if self is Trust.OUTDATED else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Someone wrote to us; `late` when it was only found out after a gap.

    `contact_id` names the contact it is from, None where it is from nobody known.
    """

    message: InboundMessage
    late: bool
    trust: Trust = Trust.UNKNOWN
    contact_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """An outbound message moved forward; `previous` is None for its first state.

    `contact` is what the message was stored with.
    """

    message_id: str
    provider_id: str | None
    recipient: str = field(repr=False)
    contact: str | None = field(default=None, repr=False)
    status: DeliveryStatus
    previous: DeliveryStatus | None
    reason: RejectReason | None = None
    error_code: str | None = None
    at: datetime
    cost: Cost | None = None
    """What is known of the price by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How an outbound message moves: a status, and why it ended there."""

    status: DeliveryStatus
    reason: RejectReason | None = None
    error_code: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallChanged:
    """A call moved forward; `previous` is None for its first state.

    `call_id` is ours if we called, else the provider's. `digits` are the keys that
    acknowledged it, `duration` is in seconds.
    """

    call_id: str
    provider_id: str | None
    direction: Direction
    correspondent: str = field(repr=False)
    contact: str | None = field(default=None, repr=False)
    state: CallState
    previous: CallState | None
    digits: str | None = field(default=None, repr=False)
    duration: int | None = None
    reason: RejectReason | None = None
    error_code: str | None = None
    at: datetime


type Change = Received | StatusChanged | CallChanged
