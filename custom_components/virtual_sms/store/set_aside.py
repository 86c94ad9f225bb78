"""Inbound records that could not be taken: read again until they can, or are gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import json
import sqlite3

from ..adapters.models import SetAside, SetAsideReason
from .forgotten import recall


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAsideRow:
    """A record that waits to be read again; `since` is a time of the provider's."""

    record_id: str
    reason: SetAsideReason
    since: datetime


def set_aside(
    connection: sqlite3.Connection, records: Sequence[SetAside], now: datetime
) -> list[SetAsideRow]:
    """Keep records that are not known otherwise, and return their rows."""
    known = recall(connection, [each.record_id for each in records])
    ids = [each.record_id for each in records if each.record_id not in known]
    connection.executemany(
        "INSERT INTO set_aside VALUES (?, ?, ?) "
        "ON CONFLICT (record_id) DO UPDATE SET reason = excluded.reason",
        [
            (each.record_id, each.reason, now.timestamp())
            for each in records
            if each.record_id not in known
        ],
    )
    return [row for row in list_rows(connection) if row.record_id in ids]


def list_rows(connection: sqlite3.Connection) -> list[SetAsideRow]:
    """List what is still set aside, oldest first; what was taken by now is not."""
    connection.execute(
        "DELETE FROM set_aside WHERE record_id IN "
        "(SELECT message_id FROM inbound WHERE message_id = record_id)"
    )
    rows = connection.execute(
        "SELECT record_id, reason, since FROM set_aside ORDER BY since, record_id"
    ).fetchall()
    return [
        SetAsideRow(
            record_id=record_id,
            reason=SetAsideReason(reason),
            since=datetime.fromtimestamp(since, UTC),
        )
        for record_id, reason, since in rows
    ]


def drop_rows(connection: sqlite3.Connection, record_ids: Sequence[str]) -> None:
    """Forget rows of records that were taken, or are gone."""
    connection.execute(
        "DELETE FROM set_aside WHERE record_id IN (SELECT value FROM json_each(?))",
        (json.dumps(record_ids),),
    )
