"""Tell the home what is news, once it listens, and note what it was told.

While Home Assistant starts, no automation hears an event. What becomes known
meanwhile, or was cut short by a crash, is held back and told in order.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
import logging

from .announcements import Announcement, Received
from .ledger import Ledger

_LOGGER = logging.getLogger(__name__)


IN_FLIGHT = 8
"""Announcements that a crash may repeat: the most that are told but not noted."""


class Announcer:
    """Publish announcements in order, each once."""

    def __init__(self, ledger: Ledger, publish: Callable[[Announcement], None]) -> None:
        """Take the ledger that remembers, and whom to tell."""
        self._ledger = ledger
        self._publish = publish
        self._waiting: deque[Announcement] = deque()
        self._told: list[Announcement] = []
        self._noting: asyncio.Task[None] | None = None
        self._is_busy = False
        self._is_open = False

    async def load(self) -> None:
        """Take up what an earlier run knew but did not tell."""
        self._waiting.extend(
            Received(message=each.message, late=True)
            for each in await self._ledger.inbound.untold()
        )
        self._waiting.extend(await self._ledger.outbound.untold())

    def start(self) -> None:
        """Begin to tell: what was held back first, the oldest before the rest."""
        self._waiting = deque(sorted(self._waiting, key=_time))
        self._is_open = True
        self._go_on()

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Tell as soon as what was told before is noted, but not before `start`."""
        self._waiting.extend(announcements)
        self._go_on()

    async def close(self) -> None:
        """Finish noting what was told; what was not waits for the next run."""
        self._is_open = False
        if self._noting is not None:
            await self._noting

    def _go_on(self) -> None:
        """Tell more, unless that is being done: who hears it may send at once."""
        if self._waiting and self._is_open and not self._is_busy:
            self._is_busy = True
            try:
                self._tell()
            finally:
                self._noting = asyncio.create_task(self._note())

    def _tell(self) -> None:
        """Tell the next few."""
        for _ in range(min(IN_FLIGHT, len(self._waiting))):
            announcement = self._waiting.popleft()
            self._publish(announcement)
            self._told.append(announcement)

    async def _note(self) -> None:
        """Note in the ledger what was told, then tell more.

        What cannot be noted now is noted with what is told next.
        """
        told = self._told
        try:
            await self._ledger.told(told)
            self._told = []
        except Exception:
            _LOGGER.exception("The ledger cannot be written")
        self._is_busy = False
        self._go_on()


def _time(announcement: Announcement) -> datetime:
    if isinstance(announcement, Received):
        return announcement.message.received_at
    return announcement.at
