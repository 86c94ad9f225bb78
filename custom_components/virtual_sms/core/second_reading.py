"""Read again what was set aside, with pauses that grow with its age."""

from collections.abc import Callable, Iterable, Sequence, Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from math import inf

from ..adapters.errors import NotFoundError, ProviderUnavailableError, SmsError
from ..adapters.models import InboundMessage, SetAside, SetAsideReason
from ..store.inbound import InboundTable
from ..store.set_aside import SetAsideRow
from .line import Line
from .record_reading import Reading

_LOGGER = logging.getLogger(__name__)

WAIT_FOR_REST = timedelta(minutes=10)
"""How long a message may be incomplete before it is taken as it is."""
AT_ONCE = 5
"""Records that are read again with one poll."""
SHORTEST_PAUSE = 60.0
"""Seconds between two readings of a record; the older it is, the more."""
_SHARE_OF_AGE = 0.25


class SecondReader:
    """The records of one line that could not be taken at their first reading."""

    def __init__(
        self, line: Line, records: InboundTable, monotonic: Callable[[], float]
    ) -> None:
        """Take the line, its rows, and what measures pauses."""
        self._line = line
        self._records = records
        self._monotonic = monotonic
        self._tried: dict[str, float] = {}

    async def read(
        self, reading: Reading, listed: AbstractSet[str]
    ) -> list[InboundMessage]:
        """Return what can be read by now; what was `listed` just now is left out."""
        rows = await self._records.list_waiting()
        self._tried = {
            row.record_id: self._tried[row.record_id]
            for row in rows
            if row.record_id in self._tried
        }
        due = [
            row
            for row in rows
            if row.record_id not in listed and self._is_due(row, reading.latest)
        ]
        due.sort(key=lambda row: self._tried.get(row.record_id, -inf))
        return await self._read_all(due[:AT_ONCE], reading)

    async def give_up(
        self, records: Iterable[SetAside], now: datetime
    ) -> list[InboundMessage]:
        """Return what there is of incomplete records; the rest counts as unreadable."""
        found: list[InboundMessage] = []
        for each in records:
            if each.message is not None:
                found.append(each.message)
            else:
                unreadable = replace(each, reason=SetAsideReason.UNREADABLE)
                await self._records.set_aside([unreadable], now)
        return found

    def _is_due(self, row: SetAsideRow, now: datetime) -> bool:
        tried = self._tried.get(row.record_id)
        if tried is None:
            return True
        age = (now - row.since).total_seconds()
        return self._monotonic() - tried >= max(SHORTEST_PAUSE, age * _SHARE_OF_AGE)

    async def _read_all(
        self, rows: Sequence[SetAsideRow], reading: Reading
    ) -> list[InboundMessage]:
        found: list[InboundMessage] = []
        try:
            for row in rows:
                self._tried[row.record_id] = self._monotonic()
                found += await self._read_one(row, reading)
        # The listing has just been answered: this is about a single record.
        except ProviderUnavailableError as err:
            _LOGGER.debug("No record can be read again now: %s", err.code)
        return found

    async def _read_one(
        self, row: SetAsideRow, reading: Reading
    ) -> list[InboundMessage]:
        adapter, number = self._line.adapter, self._line.number
        try:
            record = await adapter.fetch_inbound_message(number, row.record_id)
        except ProviderUnavailableError:
            raise
        except NotFoundError:
            _LOGGER.warning("A message that could not be read is gone at its provider")
            await self._records.drop_set_aside([row.record_id])
            return []
        except SmsError as err:
            _LOGGER.debug("A record still cannot be read: %s", err.code)
            return []
        return await self._accept(row, record, reading)

    async def _accept(
        self, row: SetAsideRow, record: InboundMessage | SetAside, reading: Reading
    ) -> list[InboundMessage]:
        """Return what a record is by now, if that is worth to be taken."""
        if isinstance(record, SetAside):
            is_overdue = reading.latest - row.since >= WAIT_FOR_REST
            return await self.give_up([record] * is_overdue, reading.latest)
        if record.received_at < reading.horizon:
            await self._records.drop_set_aside([row.record_id])
            return []
        return [record]
