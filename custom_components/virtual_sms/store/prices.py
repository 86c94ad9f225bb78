"""What messages have cost: each by its last known price, in the month of sending.

A provider may know a price long after a message has ended, so it is asked for, with
growing pauses. One that is corrected later counts by the difference.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
import sqlite3

from ..adapters.costs import Cost
from .outbound_rows import read_time

FIRST_PAUSE = timedelta(minutes=1)
"""After a message was made, until its price is first asked for."""
ASKED_FOR = timedelta(days=1)
"""The age of a message from which its price is asked for once more, and never again."""
CREDITS = ""
"""Stands for the currency of what is paid in credits."""

type NameMonth = Callable[[datetime], str]
"""Names the calendar month of a time where the home is, as 2026-11."""


def name_utc_month(time: datetime) -> str:
    """Name the month of a time for whoever lives by UTC."""
    return f"{time:%Y-%m}"


def note_cost(
    connection: sqlite3.Connection, message_id: str, cost: Cost, name_month: NameMonth
) -> None:
    """Note the price of a message, which is asked for no more then."""
    known, created_at = connection.execute(
        "SELECT ifnull(cost, 0), created_at FROM outbound WHERE message_id = ?",
        (message_id,),
    ).fetchone()
    currency = cost.currency or CREDITS
    connection.execute(
        "UPDATE outbound SET cost = ?, currency = ?, price_due_at = NULL"
        " WHERE message_id = ?",
        (cost.millionths, currency, message_id),
    )
    connection.execute(
        "INSERT INTO cost_month VALUES (?, ?, ?) ON CONFLICT (month, currency)"
        " DO UPDATE SET amount = amount + excluded.amount",
        (name_month(read_time(created_at)), currency, cost.millionths - known),
    )


def list_unpriced(connection: sqlite3.Connection, limit: int, now: float) -> list[str]:
    """List provider ids whose price is to be asked for now, and say when again."""
    rows = connection.execute(
        "SELECT message_id, provider_id FROM outbound INDEXED BY outbound_open"
        " WHERE price_due_at <= ? AND provider_id IS NOT NULL"
        " ORDER BY price_due_at LIMIT ?",
        (now, limit),
    ).fetchall()
    connection.executemany(
        "UPDATE outbound SET price_due_at = iif(? - created_at >= ?, NULL,"
        " ? + max(?, ? - created_at)) WHERE message_id = ?",
        [
            (
                now,
                ASKED_FOR.total_seconds(),
                now,
                FIRST_PAUSE.total_seconds(),
                now,
                message_id,
            )
            for message_id, _ in rows
        ],
    )
    return [provider_id for _, provider_id in rows]


def read_cost(millionths: int | None, currency: str | None) -> Cost | None:
    """Read what a row says of the price."""
    return None if millionths is None else Cost(millionths, currency or None)
