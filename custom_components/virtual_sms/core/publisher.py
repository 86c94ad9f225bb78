"""Tell the home what is news, once it listens, and note what it was told.

While Home Assistant starts, no automation hears an event. What becomes known
meanwhile, or was cut short by a crash, is held back and told in order.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
import logging

from ..store.changes import Announcement, Received
from ..store.database import PATIENCE
from ..store.store import Ledger

_LOGGER = logging.getLogger(__name__)


IN_FLIGHT = 32
"""Announcements that a crash may repeat: the most that are told but not noted."""
AT_ONCE = 16
"""Announcements in a row, before the rest of the home has a turn."""


class Announcer:
    """Publish announcements in order, each once."""

    def __init__(self, ledger: Ledger, publish: Callable[[Announcement], None]) -> None:
        """Take the ledger that remembers, and whom to tell."""
        self._ledger = ledger
        self._publish = publish
        self._waiting: deque[Announcement] = deque()
        self._missed: list[Announcement] = []
        self._unnoted = 0
        self._is_telling = False
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
        """Tell as soon as enough of what was told is noted, but not before `start`."""
        self._waiting.extend(announcements)
        self._go_on()

    def stop(self) -> None:
        """Tell no more: what waits is for the next run."""
        self._is_open = False

    def _go_on(self) -> None:
        """Tell more, unless that is being done: who hears it may send at once."""
        if self._is_open and not self._is_telling and self._may_tell(self._unnoted):
            self._is_telling = True
            told: list[Announcement] = []
            try:
                self._tell(told)
            finally:
                self._is_telling = False
                self._note(told)

    def _tell(self, told: list[Announcement]) -> None:
        while len(told) < AT_ONCE and self._may_tell(self._unnoted + len(told)):
            announcement = self._waiting.popleft()
            self._publish(announcement)
            told.append(announcement)

    def _may_tell(self, unnoted: int) -> bool:
        return bool(self._waiting) and unnoted < IN_FLIGHT

    def _note(self, told: list[Announcement]) -> None:
        """Note in the ledger what was told, with what could not be noted before."""
        told, self._missed = self._missed + told, []
        self._unnoted += len(told)
        note = self._ledger.told(told, 0.0 if self._waiting else PATIENCE)
        note.add_done_callback(partial(self._go_on_after, told))
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on_after(
        self, told: list[Announcement], note: asyncio.Future[None]
    ) -> None:
        """Tell more, whether what was told could be noted or not."""
        self._unnoted -= len(told)
        if error := note.exception():
            _LOGGER.error("The ledger cannot be written", exc_info=error)
            self._missed += told
        self._go_on()


def _time(announcement: Announcement) -> datetime:
    if isinstance(announcement, Received):
        return announcement.message.received_at
    return announcement.at
