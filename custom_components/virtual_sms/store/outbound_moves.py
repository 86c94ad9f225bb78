"""Move outbound messages forward: to an id of the provider's, and to their end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
import sqlite3
from typing import Any

from ..adapters.costs import Cost
from ..adapters.models import DeliveryStatus, RejectReason
from .changes import Progress, StatusChanged
from .consent import Source, note_consent
from .inbound import bump
from .outbound_rows import BY_PROVIDER, read_time
from .prices import NameMonth, note_cost, read_cost

_FAILURES = (DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED)
STATE = (
    "message_id, provider_id, recipient, contact, status, reason, error_code, at,"
    " cost, currency"
)
"""The columns that a state is read from."""
_END = (
    ", open = 0, content = NULL, next_at = NULL"
    ", price_due_at = iif(provider_id IS NULL, NULL, price_due_at)"
)
# What the provider has, or what has ended, needs no text and no next attempt.
_CLAIM = f"""
    UPDATE outbound SET provider_id = ?, content = NULL, next_at = NULL
    WHERE message_id = ? AND open AND provider_id IS NULL AND {BY_PROVIDER} IS NULL
    RETURNING {STATE}, segments
"""  # noqa: S608  # our own constant
_MOVE = """
    UPDATE outbound SET status = moved.column2, reason = moved.column3,
        error_code = moved.column4, at = moved.column5{}
    FROM (VALUES {}) AS moved WHERE message_id = moved.column1
"""
# To name a column is to write its indexes, whether it changes or not.
_ENDS = {False: "", True: _END}
"""What moves as well, by whether that is the end of a message."""


def claim(
    connection: sqlite3.Connection, message_id: str, provider_id: str
) -> StatusChanged | None:
    """Give a message its provider's id, once, and return where it stands.

    None when it has another or has ended, or the id belongs to another message.
    """
    values = (provider_id, message_id, provider_id)
    row = connection.execute(_CLAIM, values).fetchone()
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
    change = advance(state, progress, now)
    write_moves(connection, [change] if change else [])
    return change


def advance(
    state: StatusChanged, progress: Progress, now: datetime
) -> StatusChanged | None:
    """Return the change by which a message moves forward, None if it does not."""
    if progress.status.rank <= state.status.rank:
        return None
    return replace(
        state,
        status=progress.status,
        previous=state.status,
        reason=progress.reason,
        error_code=progress.error_code,
        # Providers round their times: no state may seem older than the one before it.
        at=max(progress.at or now, state.at),
    )


def write_moves(
    connection: sqlite3.Connection, changes: Sequence[StatusChanged]
) -> None:
    """Write changes, of each message only where it ends up."""
    last = {each.message_id: each for each in changes}.values()
    for is_final, end in _ENDS.items():
        moved = [each for each in last if each.status.is_final is is_final]
        if moved:
            rows = ", ".join(["(?, ?, ?, ?, ?)"] * len(moved))
            values = chain.from_iterable(map(_describe_move, moved))
            connection.execute(_MOVE.format(end, rows), [*values])
    bump(connection, failed=sum(each.status in _FAILURES for each in changes))
    for each in changes:
        if each.reason is RejectReason.OPTED_OUT:
            note_consent(connection, each.recipient, Source.PROVIDER, each.at)


def _describe_move(change: StatusChanged) -> tuple[object, ...]:
    at = change.at.timestamp()
    return change.message_id, change.status, change.reason, change.error_code, at


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
