"""What is published: the two things that happen to a number."""

from dataclasses import dataclass, field
from datetime import datetime

from ..adapters.models import DeliveryStatus, InboundMessage, RejectReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Someone wrote to us; `late` when it was only found out after a gap."""

    message: InboundMessage
    late: bool


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How an outbound message moves: a status, and why it ended there."""

    status: DeliveryStatus
    reason: RejectReason | None = None
    error_code: str | None = None
    at: datetime | None = None


type Change = Received | StatusChanged
