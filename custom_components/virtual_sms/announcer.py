"""Tell the home what is news, once it listens, and note what it was told.

While Home Assistant starts, no automation hears an event. What becomes known
meanwhile, or was cut short by a crash, is held back and told in order.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
import logging

from .announcements import Announcement, Received, StatusChanged
from .ledger import Ledger

_LOGGER = logging.getLogger(__name__)


class Announcer:
    """Publish announcements in order, each once."""

    def __init__(self, ledger: Ledger, publish: Callable[[Announcement], None]) -> None:
        """Take the ledger that remembers, and whom to tell."""
        self._ledger = ledger
        self._publish = publish
        self._held: list[Announcement] | None = []
        self._told: list[Announcement] = []
        self._noting: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Take up what an earlier run knew but did not tell."""
        self._held = [
            *(
                Received(message=each.message, late=True)
                for each in await self._ledger.inbound.untold()
            ),
            *await self._ledger.outbound.untold(),
        ]

    def start(self) -> None:
        """Begin to tell: what was held back first, the oldest before the rest."""
        held, self._held = self._held or [], None
        self.announce(sorted(held, key=_time))

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Tell, or hold back until `start`."""
        if self._held is not None:
            self._held.extend(announcements)
            return
        for announcement in announcements:
            self._publish(announcement)
        self._told.extend(announcements)
        if self._told and self._noting is None:
            self._noting = asyncio.create_task(self._note())

    async def close(self) -> None:
        """Finish noting what was told."""
        if self._noting is not None:
            await self._noting

    async def _note(self) -> None:
        """Note in the ledger what was told; many at once in a burst."""
        try:
            while told := self._told:
                self._told = []
                received = [each for each in told if isinstance(each, Received)]
                changed = [each for each in told if isinstance(each, StatusChanged)]
                await self._ledger.inbound.told(
                    [each.message.message_id for each in received]
                )
                await self._ledger.outbound.told(changed)
        except Exception:
            _LOGGER.exception("The ledger cannot be written")
            self._told = told + self._told
        finally:
            self._noting = None


def _time(announcement: Announcement) -> datetime:
    if isinstance(announcement, Received):
        return announcement.message.received_at
    return announcement.at
