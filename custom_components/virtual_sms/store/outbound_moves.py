"""Move outbound messages forward: to an id of the provider's, and to their end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
import sqlite3
from typing import Any

from ..adapters.costs import Cost
from ..adapters.models import DeliveryReceipt, DeliveryStatus, RejectReason
from .changes import Progress, StatusChanged
from .consent import Source, note_consent
from .inbound import bump
from .outbound_rows import read_time
from .prices import FIRST_PAUSE, NameMonth, note_cost, read_cost

_FAILURES = (DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED)
STATE = (
    "message_id, provider_id, recipient, contact, status, reason, error_code, at,"
    " cost, currency"
)
"""The columns that a state is read from."""
_END = ", open = 0, content = NULL, next_at = NULL"
# What the provider has, or what has ended, needs no text and no next attempt.
_CLAIM = f"""
    UPDATE OR IGNORE outbound
    SET provider_id = ?, price_due_at = ?, content = NULL, next_at = NULL
    WHERE message_id = ? AND open AND provider_id IS NULL RETURNING {STATE}, segments
"""  # noqa: S608  # our own constant
_MOVE = """
    UPDATE outbound SET
        status = :status, reason = :reason, error_code = :error_code, at = :at{}
    WHERE message_id = :message_id
"""
# To name a column is to write its indexes, whether it changes or not.
_MOVES = {False: _MOVE.format(""), True: _MOVE.format(_END)}
"""How a message moves, by whether that is its end."""


def find(
    connection: sqlite3.Connection, receipt: DeliveryReceipt, now: datetime
) -> StatusChanged | None:
    """Return where the message of a receipt stands, learning the provider's id."""
    state = _read(connection, "provider_id = ?", receipt.provider_id)
    if state is None and receipt.message_id:
        state = claim(connection, receipt.message_id, receipt.provider_id, now)
    return state


def claim(
    connection: sqlite3.Connection, message_id: str, provider_id: str, now: datetime
) -> StatusChanged | None:
    """Give a message its provider's id, once, and return where it stands.

    Its price is asked for a little later.

    None when it has another or has ended, or the id belongs to another message.
    """
    due_at = (now + FIRST_PAUSE).timestamp()
    row = connection.execute(_CLAIM, (provider_id, due_at, message_id)).fetchone()
    if row is None:
        known = "message_id = ? AND provider_id = ?"
        return _read(connection, known, message_id, provider_id)
    *state, segments = row
    bump(connection, sent=1, segments=segments or 0)
    return read_state(state)


def move(
    connection: sqlite3.Connection,
    state: StatusChanged,
    progress: Progress,
    now: datetime,
) -> StatusChanged | None:
    """Move a message forward and return the change, None if it changes nothing."""
    if progress.status.rank <= state.status.rank:
        return None
    change = replace(
        state,
        status=progress.status,
        previous=state.status,
        reason=progress.reason,
        error_code=progress.error_code,
        # Providers round their times: no state may seem older than the one before it.
        at=max(progress.at or now, state.at),
    )
    connection.execute(
        _MOVES[change.status.is_final],
        {
            "message_id": change.message_id,
            "status": change.status,
            "reason": change.reason,
            "error_code": change.error_code,
            "at": change.at.timestamp(),
        },
    )
    bump(connection, failed=int(change.status in _FAILURES))
    if change.reason is RejectReason.OPTED_OUT:
        note_consent(connection, change.recipient, Source.PROVIDER, change.at)
    return change


def move_own(
    connection: sqlite3.Connection, message_id: str, progress: Progress, now: datetime
) -> StatusChanged | None:
    """Move a message that the provider has not accepted."""
    state = _read(connection, "message_id = ? AND provider_id IS NULL", message_id)
    return None if state is None else move(connection, state, progress, now)


def wait(
    connection: sqlite3.Connection,
    message_id: str,
    next_at: datetime,
    settled_at: datetime | None,
) -> bool:
    """Have a message wait, unless it has been accepted or has ended: then say False.

    `settled_at` is there where the outcome of its last attempt is unknown.
    """
    return bool(
        connection.execute(
            "UPDATE outbound SET next_at = ?, settled_at = ?"
            " WHERE message_id = ? AND open AND provider_id IS NULL",
            (
                next_at.timestamp(),
                settled_at and settled_at.timestamp(),
                message_id,
            ),
        ).rowcount
    )


def find_own(connection: sqlite3.Connection, message_id: str) -> StatusChanged | None:
    """Return where a message of ours stands, by our own id."""
    return _read(connection, "message_id = ?", message_id)


def withdraw(
    connection: sqlite3.Connection, message_id: str, steady: datetime, now: datetime
) -> StatusChanged | None:
    """End a message that surely has not left; keep any other from being sent again."""
    waits = connection.execute(
        "SELECT 1 FROM outbound WHERE message_id = ? AND open "
        "AND provider_id IS NULL AND settled_at IS NULL",
        (message_id,),
    ).fetchone()
    if waits:
        canceled = Progress(status=DeliveryStatus.CANCELED)
        return move_own(connection, message_id, canceled, now)
    connection.execute(
        "UPDATE outbound SET deadline = min(deadline, ?) "
        "WHERE message_id = ? AND open AND provider_id IS NULL",
        (steady.timestamp(), message_id),
    )
    return None


def read_state(
    row: Sequence[Any], previous: DeliveryStatus | None = None
) -> StatusChanged:
    """Read where a message stands, as a change from an earlier state."""
    message_id, provider_id, recipient, contact, *how, at, cost, currency = row
    status, reason, error_code = how
    return StatusChanged(
        message_id=message_id,
        provider_id=provider_id,
        recipient=recipient,
        contact=contact,
        status=DeliveryStatus(status),
        previous=previous,
        reason=RejectReason(reason) if reason else None,
        error_code=error_code,
        at=read_time(at),
        cost=read_cost(cost, currency),
    )


def note_price(
    connection: sqlite3.Connection,
    state: StatusChanged | None,
    cost: Cost | None,
    name_month: NameMonth,
) -> StatusChanged | None:
    """Note what a message has cost, where that is said and new; return it with it."""
    if state is None or cost is None:
        return state
    note_cost(connection, state.message_id, cost, name_month)
    return replace(state, cost=cost)


def _read(
    connection: sqlite3.Connection, where: str, *values: str
) -> StatusChanged | None:
    row = connection.execute(
        f"SELECT {STATE} FROM outbound WHERE {where}",  # noqa: S608  # our own constants
        values,
    ).fetchone()
    return None if row is None else read_state(row)


def read_progress(receipt: DeliveryReceipt) -> Progress:
    """Return how far a receipt says that a message is."""
    return Progress(
        status=receipt.status,
        reason=receipt.reason,
        error_code=receipt.error_code,
        at=receipt.at,
    )
