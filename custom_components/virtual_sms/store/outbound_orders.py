"""Messages that are to be sent, and those whose end is asked for: how they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
import sqlite3

from ..adapters.models import DeliveryStatus, OutboundMessage
from .refusals import Refusal, find_refusals
from .usage import Allowance, hash_text

SETTLE = timedelta(seconds=20)
"""How long a provider may still be working on a request that got no answer."""
WATCH = timedelta(minutes=1)
"""When an attempt is looked at whose end nobody has written down."""
_YOUNG, _LONGEST_WAIT = 600, 3600
"""Seconds: a young message is asked about whenever there is a poll, an older one
after a quarter of its age."""


@dataclass(frozen=True, slots=True)
class Order:
    """Messages that are to be sent until a deadline, as far as they are allowed."""

    messages: Sequence[OutboundMessage]
    deadline: datetime
    sent_after: datetime | None
    steady: datetime
    now: datetime
    allowance: Allowance | None = None


def add_order(connection: sqlite3.Connection, order: Order) -> dict[str, Refusal]:
    """Write down messages whose first attempt follows at once.

    Returns those that are not to be sent, by their ids, and why.
    """
    refusals = find_refusals(connection, order.messages, order.allowance, order.steady)
    is_critical = order.allowance is not None and order.allowance.is_critical
    connection.executemany(
        "INSERT INTO outbound (message_id, recipient, content, status, at, created_at,"
        " deadline, settled_at, next_at, sent_after, segments, encoding, contact,"
        " critical, text_hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
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
                message.contact,
                is_critical,
                hash_text(message),
            )
            for message in order.messages
            if message.message_id not in refusals
        ],
    )
    return refusals


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


def note_asked(connection: sqlite3.Connection, provider_id: str, now: float) -> None:
    """Note when a message's end was asked for."""
    connection.execute(
        "UPDATE outbound SET checked_at = ? WHERE provider_id = ?", (now, provider_id)
    )
