"""Where a message stands, for whoever sends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..adapters.costs import Cost
from ..adapters.errors import SmsError
from ..adapters.models import DeliveryStatus, OutboundMessage, SentMessage
from ..store.refusals import Refusal
from .limits import as_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where a message stands after its first attempt, and what went wrong.

    `error` is only there when the message surely does not go out any more. What could
    not be written down is not remembered: it is not sent again.
    """

    message: OutboundMessage
    status: DeliveryStatus
    provider_id: str | None = None
    error: SmsError | None = None
    cost: Cost | None = None
    is_remembered: bool = True

    @property
    def waits(self) -> bool:
        """Say whether the message is yet to be accepted."""
        return self.provider_id is None and not self.status.is_final


def refused(
    messages: Sequence[OutboundMessage], refusals: Mapping[str, Refusal]
) -> list[Outcome]:
    """Say that messages were refused by our own rules, and why."""
    return [
        Outcome(
            message=each,
            status=DeliveryStatus.FAILED,
            error=as_error(refusals[each.message_id]),
        )
        for each in messages
        if each.message_id in refusals
    ]


def accepted(message: OutboundMessage, sent: SentMessage) -> Outcome:
    """Say that the provider has a message."""
    return Outcome(
        message=message,
        status=sent.status,
        provider_id=sent.provider_id,
        cost=sent.cost,
    )
