"""Messages that are to be sent, and those whose end is asked for: how they are written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import json
import sqlite3
from typing import Any, NamedTuple, get_type_hints

from ..adapters.models import DeliveryStatus, OutboundMessage
from .changes import StatusChanged
from .outbound_moves import find_own
from .outbound_rows import BY_PROVIDER
from .prices import FIRST_PAUSE
from .usage import Allowance, Use, hash_text, write_content
from .usage_rows import use_month

RECONCILE_AFTER = timedelta(seconds=20)
"""How long a provider may still be working on a request that got no answer."""
WATCH = timedelta(minutes=1)
"""When an attempt is looked at whose end nobody has written down."""
_YOUNG, _LONGEST_WAIT = 600, 3600
"""Seconds: a young message is asked about whenever there is a poll, an older one
after a quarter of its age."""


class _Row(NamedTuple):
    """What is written down of a message, by the names of its columns.

    A journal holds it as a list: what has other values is another version's.
    """

    message_id: str
    recipient: str
    content: str
    status: str
    at: float
    created_at: float
    deadline: float
    settled_at: float
    next_at: float
    sent_after: float | None
    segments: int
    encoding: str
    contact: str | None
    critical: bool
    text_hash: str


_CREATED_AT = f"?{_Row._fields.index('created_at') + 1}"
_INSERT = (
    f"INSERT {{}} INTO outbound ({', '.join(_Row._fields)}, day, price_due_at)"  # noqa: S608  # our own constants
    f" VALUES ({', '.join('?' * len(_Row._fields))},"
    # Of `created_at`, for the rows of an earlier version's journal say no more.
    f" CAST({_CREATED_AT} / 86400 AS INTEGER),"
    f" {_CREATED_AT} + {FIRST_PAUSE.total_seconds()})"
)
_SHAPE = (*get_type_hints(_Row).values(),)
"""What the values of a row are."""

type Line = Sequence[Any]
"""A row, and the name of the month that counts it, if one does."""


@dataclass(frozen=True, slots=True)
class Order:
    """Messages that are to be sent until a deadline, as far as they are allowed.

    Where they may have left already, the provider is asked before they are sent.
    """

    messages: Sequence[OutboundMessage]
    deadline: datetime
    sent_after: datetime | None
    steady: datetime
    now: datetime
    allowance: Allowance | None = None
    may_have_left: bool = False

    @property
    def looks_at(self) -> datetime:
        """Return when the messages are looked at, unless something becomes of them."""
        return self.steady if self.may_have_left else self.steady + WATCH


@dataclass(frozen=True, slots=True)
class Left:
    """A message that may have left and is not on disk, with what it uses."""

    message: OutboundMessage
    order: Order
    use: Use


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be written down of an order: rows, and the month that counts each."""

    lines: Sequence[Line]

    @classmethod
    def of(cls, order: Order, kept: Iterable[OutboundMessage]) -> Intent:
        """Return what is to be written down of those that are not refused."""
        month = order.allowance and order.allowance.month.name
        return cls([[_row(order, each), month] for each in kept])


def write_all(connection: sqlite3.Connection, intents: Sequence[Intent]) -> list[None]:
    """Write intents down, and what the months have used by them."""
    lines = [line for each in intents for line in each.lines]
    connection.executemany(_INSERT.format(""), [row for row, _ in lines])
    _use_months(connection, lines)
    return [None] * len(intents)


def restore_all(
    connection: sqlite3.Connection, kept: Iterable[Line], leaving: Iterable[Line]
) -> None:
    """Write down what a crash has kept from that, as far as it makes sense.

    Of what had left and could not be written the time is over: it was tried once.
    """
    rows = [
        (row._replace(deadline=row.created_at), month) for row, month in _read(kept)
    ]
    rows += _read(leaving)
    _use_months(connection, [each for each in rows if _restore(connection, each[0])])


def _read(lines: Iterable[Line]) -> Iterator[tuple[_Row, str | None]]:
    """Read lines, but for those that are another version's, or damaged."""
    for row, month in lines:
        if len(row) != len(_SHAPE) or not isinstance(month, str | None):
            continue
        if all(map(isinstance, row, _SHAPE, strict=True)):
            yield _Row(*row), month


def _restore(connection: sqlite3.Connection, row: _Row) -> bool:
    """Write down a row; False if it is known."""
    return bool(connection.execute(_INSERT.format("OR IGNORE"), row).rowcount)


def _use_months(connection: sqlite3.Connection, lines: Iterable[Line]) -> None:
    months: Counter[str] = Counter()
    for row, month in lines:
        if month is not None:
            months[month] += row.segments
    for month, segments in months.items():
        use_month(connection, month, segments)


def restore(connection: sqlite3.Connection, left: Left) -> bool:
    """Write down a message after it has left; False if that was done meanwhile.

    Its time is over: what a run has forgotten is not sent again.
    """
    order, message = replace(left.order, deadline=left.order.steady), left.message
    if find_own(connection, message.message_id):
        return False
    connection.execute(_INSERT.format(""), _row(order, message))
    if order.allowance is not None:
        use_month(connection, order.allowance.month.name, message.segments)
    return True


def _row(order: Order, message: OutboundMessage) -> _Row:
    return _Row(
        message.message_id,
        message.recipient,
        write_content(message.text, message.media),
        DeliveryStatus.QUEUED,
        order.now.timestamp(),
        message.created_at.timestamp(),
        order.deadline.timestamp(),
        (order.steady + RECONCILE_AFTER).timestamp(),
        order.looks_at.timestamp(),
        order.sent_after.timestamp() if order.sent_after else None,
        message.segments,
        message.encoding,
        message.contact,
        order.allowance is not None and order.allowance.is_critical,
        hash_text(message),
    )


def first_state(message: OutboundMessage, now: datetime) -> StatusChanged:
    """Return the first change of a message: it is to be sent."""
    return StatusChanged(
        message_id=message.message_id,
        provider_id=None,
        recipient=message.recipient,
        contact=message.contact,
        status=DeliveryStatus.QUEUED,
        previous=None,
        at=now,
    )


def note_changes(
    connection: sqlite3.Connection, changes: Iterable[StatusChanged]
) -> None:
    """Note that changes were published, the last of each message."""
    published = {change.message_id: change.status for change in changes}
    if published:
        connection.execute(
            "UPDATE outbound SET told = each.value FROM json_each(?) AS each "
            "WHERE message_id = each.key",
            (json.dumps(published),),
        )


def list_open(connection: sqlite3.Connection, limit: int, now: float) -> list[str]:
    """List provider ids whose end is unknown, the longest unasked first."""
    rows = connection.execute(
        "SELECT provider_id FROM outbound INDEXED BY outbound_open "
        "WHERE open AND provider_id IS NOT NULL AND checked_at + "
        "iif(? - created_at < ?, 0, min(?, (? - created_at) / 4)) <= ? "
        "ORDER BY checked_at LIMIT ?",
        (now, _YOUNG, _LONGEST_WAIT, now, now, limit),
    ).fetchall()
    return [provider_id for (provider_id,) in rows]


def note_asked(connection: sqlite3.Connection, provider_id: str, now: float) -> None:
    """Note when a message's end was asked for."""
    connection.execute(
        f"UPDATE outbound SET checked_at = ? WHERE message_id = {BY_PROVIDER}",  # noqa: S608  # our own constant
        (now, provider_id),
    )
