"""Read the provider's record of what came in, and leave nothing behind.

A record that cannot be read is set aside, and one that is still incomplete is
waited for; the others go on. Both are read again until they can be taken.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
import logging

from ..adapters.models import InboundMessage, SetAside, SetAsideReason
from ..store.changes import Received
from ..store.inbound import InboundTable
from .intake import Intake
from .line import Dependencies, Line
from .record_reading import OVERLAP, Reading
from .second_reading import WAIT_FOR_REST, SecondReader

_LOGGER = logging.getLogger(__name__)

LOOK_AGAIN = 15.0
"""Seconds until an incomplete message is looked at again."""
# A quiet poll need not write: going back this much further costs as little.
_STEP = timedelta(minutes=5)


class RecordReader:
    """The provider's record of one line's inbound messages, read bit by bit."""

    def __init__(
        self,
        line: Line,
        records: InboundTable,
        publish: Callable[[Sequence[Received]], None],
        dependencies: Dependencies,
        catch_up_soon: Callable[[], None],
    ) -> None:
        """Take the line and its rows, who publishes changes, and who has us read again."""
        self._line = line
        self._records = records
        self._intake = Intake(line, records, publish, dependencies)
        self._monotonic = dependencies.monotonic
        self._spawn = dependencies.spawn
        self._catch_up_soon = catch_up_soon
        self._second = SecondReader(line, records, dependencies.monotonic)
        self._lock = asyncio.Lock()
        self._is_looking_again = False

    async def begin(self) -> None:
        """Start a new record: what is at the provider already is history.

        Raises what the adapter raises; then nothing has begun. What is incomplete
        arrives just now, so it is no history.
        """
        if await self._records.progress() is not None:
            return
        since = await self._line.adapter.fetch_time() - OVERLAP
        history = [
            each
            async for batch in self._fetch(since)
            for each in batch
            if not _is_incomplete(each)
        ]
        await self._records.begin(history, since)

    async def read(self, *, late: bool) -> None:
        """Read all that came in since the last reading, and take what is new."""
        async with self._lock:
            bounds = await self._records.bounds()
            if bounds is None:
                await self.begin()
                return
            # Before a run's first answer nobody knows the time: nothing moves then.
            started = self._line.adapter.provider_time or bounds.progress
            reading = Reading(bounds=bounds, started=started)
            await self._read(reading, late=late)

    async def is_history(self, at: datetime, started: datetime) -> bool:
        """Say whether what the provider received at a time is none of our time.

        `started` is when the provider was asked. Before there is a horizon, all is
        history: `begin` is yet to read it.
        """
        reading = await self._look_back(started)
        return reading is None or at < reading.horizon

    async def was_read(self, at: datetime, started: datetime) -> bool:
        """Say whether what the provider received at a time is history or read already.

        The next reading goes back no further, and an earlier one left nothing behind.
        """
        reading = await self._look_back(started)
        return reading is None or at < reading.since

    async def _look_back(self, started: datetime) -> Reading | None:
        """Return the bounds of our time as an answer of just now shows them."""
        bounds = await self._records.bounds()
        if bounds is None:
            return None
        reading = Reading(bounds=bounds, started=started)
        self._note_time(reading, self._monotonic())
        return reading

    async def get_time(self) -> datetime:
        """Return what time it is at the provider."""
        adapter = self._line.adapter
        return adapter.provider_time or await adapter.fetch_time()

    async def _read(self, reading: Reading, *, late: bool) -> None:
        began, listed = self._monotonic(), set[str]()
        async for batch in self._fetch(reading.since):
            self._note_time(reading, began)
            listed |= {each.record_id for each in batch if isinstance(each, SetAside)}
            await self._take(reading, batch, late=late)
        self._note_time(reading, began)
        await self._remember(reading)
        if reading.held is not None:
            self._look_again()
        found = await self._second.read(reading, listed)
        await self._admit(reading, found, late=True)

    def _note_time(self, reading: Reading, began: float) -> None:
        if now := self._line.adapter.provider_time:
            reading.note_time(now, self._monotonic() - began)

    async def _take(
        self,
        reading: Reading,
        batch: Sequence[InboundMessage | SetAside],
        *,
        late: bool,
    ) -> None:
        """Take a batch, the oldest there is, and note how far that brings us."""
        messages = [each for each in batch if isinstance(each, InboundMessage)]
        newest = max((each.received_at for each in messages), default=None)
        messages += await self._sort_out(
            reading, [each for each in batch if isinstance(each, SetAside)]
        )
        await self._admit(reading, messages, late=late)
        if newest is not None and not reading.is_astray:
            await self._records.advance(min(newest, reading.until))

    async def _admit(
        self, reading: Reading, messages: Sequence[InboundMessage], *, late: bool
    ) -> None:
        fresh = [each for each in messages if each.received_at >= reading.horizon]
        if fresh:
            await self._intake.admit(fresh, late=late)

    async def _sort_out(
        self, reading: Reading, aside: Sequence[SetAside]
    ) -> list[InboundMessage]:
        """Keep what cannot be taken, and return what has been incomplete for long."""
        aside = [
            each for each in aside if (each.at or reading.latest) >= reading.horizon
        ]
        if not aside:
            return []
        rows = await self._records.set_aside(aside, reading.latest)
        since = {row.record_id: row.since for row in rows}
        given_up = []
        for each in aside:
            if _is_incomplete(each) and each.record_id in since:
                if reading.latest - since[each.record_id] >= WAIT_FOR_REST:
                    given_up.append(each)
                else:
                    reading.hold(each.at)
        return await self._second.give_up(given_up, reading.latest)

    async def _remember(self, reading: Reading) -> None:
        """Note what a reading to the end has proved."""
        if corrected := reading.corrected:
            _LOGGER.warning(
                "A number's record counted as read up to a time yet to come; "
                "what may have been missed is read again"
            )
            await self._records.correct(corrected)
        elif reading.until - reading.bounds.progress >= _STEP:
            await self._records.advance(reading.until)

    def _look_again(self) -> None:
        if not self._is_looking_again:
            self._is_looking_again = True
            self._spawn(self._look_again_later(), "incomplete messages")

    async def _look_again_later(self) -> None:
        try:
            await asyncio.sleep(LOOK_AGAIN)
        finally:
            self._is_looking_again = False
        self._catch_up_soon()

    async def _fetch(
        self, since: datetime
    ) -> AsyncIterator[list[InboundMessage | SetAside]]:
        adapter, known = self._line.adapter, self._records.known
        async for batch in adapter.fetch_inbound(self._line.number, since, known):
            if batch:
                yield batch


def _is_incomplete(record: InboundMessage | SetAside) -> bool:
    return isinstance(record, SetAside) and record.reason is SetAsideReason.INCOMPLETE
