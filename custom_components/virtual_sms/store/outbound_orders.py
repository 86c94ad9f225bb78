"""Messages that are to be sent, and those whose end is asked for: how they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
import sqlite3

from ..adapters.models import DeliveryStatus, OutboundMessage

SETTLE = timedelta(seconds=20)
"""How long a provider may still be working on a request that got no answer."""
WATCH = timedelta(minutes=1)
"""When an attempt is looked at whose end nobody has written down."""
_YOUNG, _LONGEST_WAIT = 600, 3600
"""Seconds: a young message is asked about whenever there is a poll, an older one
after a quarter of its age."""


@dataclass(frozen=True, slots=True)
class Order:
    """Messages that are to be sent until a deadline."""

    messages: Sequence[OutboundMessage]
    deadline: datetime
    sent_after: datetime | None
    steady: datetime
    now: datetime


def add_orders(
    connection: sqlite3.Connection, orders: Sequence[Order]
) -> Sequence[None]:
    """Write down messages whose first attempt follows at once."""
    rows = [
        (
            message.message_id,
            message.recipient,
            json.dumps([message.text, message.media]),
            DeliveryStatus.QUEUED,
            order.now.timestamp(),
            message.created_at.timestamp(),
            order.deadline.timestamp(),
            (order.steady + SETTLE).timestamp(),
            (order.steady + WATCH).timestamp(),
            order.sent_after and order.sent_after.timestamp(),
            message.segments,
            message.encoding,
        )
        for order in orders
        for message in order.messages
    ]
    connection.execute(
        "INSERT INTO outbound (message_id, recipient, content, status, at, created_at,"
        " deadline, settled_at, next_at, sent_after, segments, encoding)"
        " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,"
        " value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9,"
        " value ->> 10, value ->> 11 FROM json_each(?)",
        (json.dumps(rows),),
    )
    return [None] * len(orders)


def list_open(connection: sqlite3.Connection, limit: int, now: float) -> list[str]:
    """List provider ids whose end is unknown, the longest unasked first."""
    rows = connection.execute(
        "SELECT provider_id FROM outbound "
        "WHERE open AND provider_id IS NOT NULL AND checked_at + "
        "iif(? - created_at < ?, 0, min(?, (? - created_at) / 4)) <= ? "
        "ORDER BY checked_at LIMIT ?",
        (now, _YOUNG, _LONGEST_WAIT, now, now, limit),
    ).fetchall()
    return [provider_id for (provider_id,) in rows]


def note_asked(
    connection: sqlite3.Connection, asked: Sequence[tuple[float, str]]
) -> Sequence[None]:
    """Note when the end of messages was asked for, by their provider ids."""
    connection.executemany(
        "UPDATE outbound SET checked_at = ? WHERE provider_id = ?", asked
    )
    return [None] * len(asked)
