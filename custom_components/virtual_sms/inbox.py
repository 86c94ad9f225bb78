"""Receive each message once, by whatever way it comes.

A callback that is signed is the truth; one that is not only rings the bell. The
provider's own record, read on a timer and after every gap, brings what no
callback brought. All three end at the ledger, which admits each message once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
import logging

from .adapters.errors import NotFoundError
from .adapters.models import Capability, DeliveryReceipt, Event, InboundMessage
from .announcements import Announcement, StatusChanged
from .ledger import Ledger
from .line import Line, Surroundings

_LOGGER = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=15)
"""How far a reading of the history goes back behind what is known already."""
_RECEIPTS_AT_ONCE = 20


class Inbox:
    """The inbound messages and receipts of one line."""

    def __init__(
        self,
        line: Line,
        ledger: Ledger,
        announce: Callable[[Sequence[Announcement]], None],
        surroundings: Surroundings,
    ) -> None:
        """Take the line, its ledger, and whom to tell of news."""
        self._line = line
        self._ledger = ledger
        self._announce = announce
        self._now = surroundings.now
        self._reading = asyncio.Lock()

    async def begin(self) -> None:
        """Start a new ledger: what is at the provider already is history.

        Raises what the adapter raises; then nothing has begun.
        """
        if await self._ledger.inbound.progress() is not None:
            return
        since = self._now() - OVERLAP
        history = [message async for batch in self._fetch(since) for message in batch]
        await self._ledger.inbound.begin(history, since)

    async def take(self, event: Event, *, late: bool = False) -> None:
        """Record what is known to be true, and tell it if it is news.

        On return it is safe on disk.
        """
        if isinstance(event, InboundMessage):
            await self._ledger.inbound.admit([event], late=late, then=self._announce)
        else:
            await self._ledger.outbound.receive(event, self._announce_change)

    async def concerns(self, event: Event) -> bool:
        """Say whether an unproven event may be news for this line."""
        if isinstance(event, DeliveryReceipt):
            return await self._ledger.outbound.expects(event)
        return event.number in (None, self._line.number.number) and not (
            await self._ledger.inbound.known([event.message_id])
        )

    async def look_up(self, event: Event) -> bool:
        """Ask the provider about an unproven event, and take what it answers.

        False when the provider knows nothing of it.
        """
        truth = await self._line.adapter.confirm(self._line.number, event)
        if truth is None:
            return False
        if not await self._is_history(truth):
            await self.take(truth)
        return True

    async def catch_up(self, *, late: bool) -> None:
        """Read all of the provider's record from where we stopped."""
        await self.catch_up_inbound(late=late)
        await self.catch_up_receipts()

    async def catch_up_inbound(self, *, late: bool) -> None:
        """Read the messages that came in, and take what is new."""
        async with self._reading:
            await self._read_inbound(late=late)

    async def catch_up_receipts(self) -> None:
        """Ask where our own messages stand, a few of those that are under way.

        Each takes a question of its own, so this may take long.
        """
        if Capability.RECEIPTS not in self._line.adapter.capabilities:
            return
        records = self._ledger.outbound
        for provider_id in await records.open_deliveries(_RECEIPTS_AT_ONCE):
            try:
                receipt = await self._line.adapter.fetch_receipt(
                    self._line.number, provider_id
                )
            except NotFoundError:
                _LOGGER.debug("The provider no longer knows one of its messages")
            else:
                await self.take(receipt)

    async def _read_inbound(self, *, late: bool) -> None:
        records = self._ledger.inbound
        progress = await records.progress()
        if progress is None:
            await self.begin()
            return
        since = max(progress - OVERLAP, await records.horizon())
        async for batch in self._fetch(since):
            await records.admit(batch, late=late, then=self._announce)
            await records.advance(max(message.received_at for message in batch))

    def _announce_change(self, change: StatusChanged | None) -> None:
        if change is not None:
            self._announce([change])

    async def _is_history(self, event: Event) -> bool:
        """Say whether a message is so old that its id may have been forgotten."""
        if isinstance(event, DeliveryReceipt):
            return False
        return event.received_at < await self._ledger.inbound.horizon()

    async def _fetch(self, since: datetime) -> AsyncIterator[list[InboundMessage]]:
        adapter, known = self._line.adapter, self._ledger.inbound.known
        async for batch in adapter.fetch_inbound(self._line.number, since, known):
            if batch:
                yield batch
