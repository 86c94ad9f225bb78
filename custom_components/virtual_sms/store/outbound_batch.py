"""Some messages of the outbound book, changed in memory and written back at once.

One statement reads them all, and one writes them all: see the database for why.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
import json
import sqlite3
from typing import Any

from ..adapters.models import DeliveryReceipt, DeliveryStatus, RejectReason
from .changes import StatusChanged
from .consent import Source, note_consent
from .early import Progress
from .inbound import bump
from .outbound_rows import read_time

_FAILURES = (DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED)
_MICROSECONDS = 1e6
# Whole numbers, for sqlite writes others with too few digits into JSON.
RECORD = (
    "message_id, provider_id, recipient, status, reason, error_code,"
    " CAST(round(at * 1e6) AS INTEGER), open"
)
"""What a record is read from."""
# As one row, for to fetch one is to wait once.
_READ = f"""
    SELECT json_group_array(json_array({RECORD})) FROM outbound WHERE message_id IN (
        SELECT value FROM json_each(:message_ids) UNION
        SELECT message_id FROM outbound
        WHERE provider_id IN (SELECT value FROM json_each(:provider_ids))
    )
"""  # noqa: S608  # our own constant
# What the provider has, or what has ended, needs no text and no next attempt.
_WRITE = """
    UPDATE outbound SET
        provider_id = value ->> 1, status = value ->> 2, reason = value ->> 3,
        error_code = value ->> 4, at = (value ->> 5) / 1e6, open = value ->> 6,
        content = iif(value ->> 1 IS NOT NULL OR NOT value ->> 6, NULL, content),
        next_at = iif(value ->> 1 IS NOT NULL OR NOT value ->> 6, NULL, next_at)
    FROM json_each(?) WHERE message_id = value ->> 0
"""


@dataclass(slots=True, kw_only=True)
class Record:
    """A message of the book, as far as its progress goes; `at` in microseconds."""

    message_id: str
    provider_id: str | None
    recipient: str
    status: DeliveryStatus
    reason: RejectReason | None
    error_code: str | None
    at: int
    is_open: bool

    def describe(self, previous: DeliveryStatus | None) -> StatusChanged:
        """Return its state as a change from an earlier one."""
        return StatusChanged(
            message_id=self.message_id,
            provider_id=self.provider_id,
            recipient=self.recipient,
            status=self.status,
            previous=previous,
            reason=self.reason,
            error_code=self.error_code,
            at=read_time(self.at / _MICROSECONDS),
        )


class Page:
    """Messages of the book by our ids and by their provider's."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        message_ids: Iterable[str | None],
        provider_ids: Iterable[str] = (),
    ) -> None:
        """Read them; what is not in the book is not on the page."""
        self._connection = connection
        ids = {
            "message_ids": json.dumps(list(message_ids)),
            "provider_ids": json.dumps(list(provider_ids)),
        }
        (rows,) = connection.execute(_READ, ids).fetchone()
        records = [read_record(row) for row in json.loads(rows)]
        self._records = {each.message_id: each for each in records}
        self._by_provider_id = {
            each.provider_id: each for each in records if each.provider_id
        }
        self._changed: dict[str, Record] = {}
        self._counts: Counter[str] = Counter()
        self._opted_out: list[Record] = []

    def get(self, message_id: str) -> Record | None:
        """Return a message by our id."""
        return self._records.get(message_id)

    def find(self, receipt: DeliveryReceipt) -> Record | None:
        """Return the message a receipt speaks of, learning the provider's id."""
        record = self._by_provider_id.get(receipt.provider_id)
        if record is None and receipt.message_id:
            record = self.claim(receipt.message_id, receipt.provider_id)
        return record

    def claim(self, message_id: str, provider_id: str) -> Record | None:
        """Give a message its provider's id, once, and return it.

        None when it has another or has ended, or the id belongs to another message.
        """
        owner = self._by_provider_id.get(provider_id)
        if owner is not None:
            return owner if owner.message_id == message_id else None
        record = self._records.get(message_id)
        if record is None or record.provider_id or not record.is_open:
            return None
        record.provider_id = provider_id
        self._by_provider_id[provider_id] = record
        self._changed[message_id] = record
        self._counts["sent"] += 1
        return record

    def move(
        self, record: Record, progress: Progress, now: datetime
    ) -> StatusChanged | None:
        """Move a message forward and return the change, None if it is no news."""
        previous = record.status
        if progress.status.rank <= previous.rank:
            return None
        # Providers round their times: no state may seem older than the one before it.
        at = round((progress.at or now).timestamp() * _MICROSECONDS)
        record.at = max(at, record.at)
        record.status = progress.status
        record.reason = progress.reason
        record.error_code = progress.error_code
        record.is_open = not progress.status.is_final
        self._changed[record.message_id] = record
        self._counts["failed"] += progress.status in _FAILURES
        if progress.reason is RejectReason.OPTED_OUT:
            self._opted_out.append(record)
        return record.describe(previous)

    def write(self) -> None:
        """Write back what has changed."""
        rows = [
            (
                each.message_id,
                each.provider_id,
                each.status,
                each.reason,
                each.error_code,
                each.at,
                each.is_open,
            )
            for each in self._changed.values()
        ]
        if rows:
            self._connection.execute(_WRITE, (json.dumps(rows),))
        for each in self._opted_out:
            at = read_time(each.at / _MICROSECONDS)
            note_consent(self._connection, each.recipient, Source.PROVIDER, at)
        for counter, count in self._counts.items():
            bump(self._connection, counter, count)


def read_record(row: Sequence[Any]) -> Record:
    """Read a record from its columns."""
    message_id, provider_id, recipient, status, reason, error_code, at, is_open = row
    return Record(
        message_id=message_id,
        provider_id=provider_id,
        recipient=recipient,
        status=DeliveryStatus(status),
        reason=RejectReason(reason) if reason else None,
        error_code=error_code,
        at=at,
        is_open=bool(is_open),
    )
