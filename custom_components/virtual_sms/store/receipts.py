"""Apply what a provider says of messages it has accepted, all that comes at a time at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
import json
import sqlite3

from ..adapters.models import DeliveryReceipt
from .changes import Progress, StatusChanged
from .outbound_moves import STATE, advance, claim, note_price, read_state, write_moves
from .outbound_rows import BY_PROVIDERS
from .prices import NameMonth


@dataclass(frozen=True, slots=True)
class Arrival:
    """A receipt, and when it came, by the time that people see."""

    receipt: DeliveryReceipt
    now: datetime


def receive_all(
    connection: sqlite3.Connection,
    arrivals: Sequence[Arrival],
    name_month: NameMonth,
) -> list[StatusChanged | None]:
    """Move messages forward, and return the change by each receipt, None for no change."""
    known = _find_all(connection, (each.receipt.provider_id for each in arrivals))
    changes = []
    for each in arrivals:
        receipt = each.receipt
        state = known.get(receipt.provider_id) or _learn(connection, receipt)
        state = note_price(connection, state, receipt.cost, name_month)
        change = state and advance(state, _read_progress(receipt), each.now)
        if state is not None:
            known[receipt.provider_id] = change or state
        changes.append(change)
    write_moves(connection, [each for each in changes if each is not None])
    return changes


def _find_all(
    connection: sqlite3.Connection, provider_ids: Iterable[str]
) -> dict[str, StatusChanged]:
    """Return where messages stand, by their ids at the provider."""
    rows = connection.execute(
        f"SELECT provider_id, {STATE} FROM outbound"  # noqa: S608  # our own constant
        f" WHERE message_id IN {BY_PROVIDERS}",
        (json.dumps([*provider_ids]),),
    ).fetchall()
    return {provider_id: read_state(row) for provider_id, *row in rows}


def _learn(
    connection: sqlite3.Connection, receipt: DeliveryReceipt
) -> StatusChanged | None:
    """Return where a message stands that is known by our own id only."""
    if not receipt.message_id:
        return None
    return claim(connection, receipt.message_id, receipt.provider_id)


def _read_progress(receipt: DeliveryReceipt) -> Progress:
    return Progress(
        status=receipt.status,
        reason=receipt.reason,
        error_code=receipt.error_code,
        at=receipt.at,
    )
