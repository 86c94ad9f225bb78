"""Wait until a message has come as far as a caller wants to know."""

import asyncio
from dataclasses import replace
from enum import StrEnum

from ..adapters.models import DeliveryStatus
from ..store.changes import Change, StatusChanged


class WaitFor(StrEnum):
    """How far a message has to come before a call answers."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"

    def is_reached(self, state: StatusChanged) -> bool:
        """Say whether a message is far enough."""
        if self is WaitFor.ACCEPTED:
            return state.provider_id is not None
        return state.status in _REACHING[self]


_REACHING = {
    WaitFor.SENT: (DeliveryStatus.SENT, DeliveryStatus.DELIVERED),
    WaitFor.DELIVERED: (DeliveryStatus.DELIVERED,),
}
_ENDED_BADLY = (
    DeliveryStatus.UNDELIVERED,
    DeliveryStatus.FAILED,
    DeliveryStatus.CANCELED,
)


def has_ended_badly(status: DeliveryStatus) -> bool:
    """Say whether a message surely does not arrive any more."""
    return status in _ENDED_BADLY


class DeliveryWaiter:
    """Wait for one message: give it each change of the line, and what the store says.

    A state that is older than the one it knows changes nothing.
    """

    def __init__(self, level: WaitFor, message_id: str) -> None:
        """Take the message, and how far it has to come."""
        self._level = level
        self.message_id = message_id
        self._is_done = asyncio.Event()
        self.state: StatusChanged | None = None
        """Where the message stands, as far as is known."""

    @property
    def has_arrived(self) -> bool:
        """Say whether the message has come as far as it has to."""
        state = self.state
        if state is None or has_ended_badly(state.status):
            return False
        return self._level.is_reached(state)

    def handle(self, change: Change | None) -> None:
        """Take in a change, or a state that was read."""
        if not isinstance(change, StatusChanged):
            return
        if change.message_id != self.message_id or self._knows_more_than(change):
            return
        known = self.state.provider_id if self.state else None
        self.state = replace(change, provider_id=change.provider_id or known)
        if self.has_arrived or change.status.is_final:
            self._is_done.set()

    @property
    def is_done(self) -> bool:
        """Say whether there is nothing to wait for any more."""
        return self._is_done.is_set()

    async def wait(self, seconds: float) -> None:
        """Wait until it has come so far, or has ended; `seconds` at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._is_done.wait()
        except TimeoutError:
            return

    def _knows_more_than(self, change: StatusChanged) -> bool:
        return self.state is not None and self.state.status.rank > change.status.rank
