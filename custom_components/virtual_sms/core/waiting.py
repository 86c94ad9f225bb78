"""Wait until a message has come as far as a caller wants to know."""

import asyncio
from collections.abc import Iterable
from enum import StrEnum

from ..adapters.models import DeliveryStatus
from ..store.changes import StatusChanged


class WaitFor(StrEnum):
    """How far a message has to come before a call answers."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"

    def is_reached(self, status: DeliveryStatus, *, is_accepted: bool) -> bool:
        """Say whether a message is far enough: at its end it is, whichever that is."""
        match self:
            case WaitFor.ACCEPTED:
                return is_accepted or status.is_final
            case WaitFor.SENT:
                return status is DeliveryStatus.SENT or status.is_final
            case WaitFor.DELIVERED:
                return status.is_final


class DeliveryWaiter:
    """Wait for some messages of one line; made before they are handed over.

    Changes may come before the call that makes them returns, so whatever happens to a
    message is kept until it is asked for.
    """

    def __init__(self, level: WaitFor, message_ids: Iterable[str]) -> None:
        """Take how far each of the messages has to come."""
        self._level = level
        self._open = set(message_ids)
        self._is_done = asyncio.Event()
        self.changes: dict[str, StatusChanged] = {}
        """The last change of each message that has changed."""

    def handle(self, change: object) -> None:
        """Take in a change of the line."""
        if not isinstance(change, StatusChanged) or change.message_id not in self._open:
            return
        self.changes[change.message_id] = change
        is_accepted = change.provider_id is not None
        if self._level.is_reached(change.status, is_accepted=is_accepted):
            self.leave_out(change.message_id)

    def leave_out(self, message_id: str) -> None:
        """Wait for a message no longer."""
        self._open.discard(message_id)
        if not self._open:
            self._is_done.set()

    async def wait(self, timeout: float) -> bool:
        """Wait for `timeout` seconds at most; say whether all have come so far."""
        if self._open:
            try:
                async with asyncio.timeout(timeout):
                    await self._is_done.wait()
            except TimeoutError:
                return False
        return True
