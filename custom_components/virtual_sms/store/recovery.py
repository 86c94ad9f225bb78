"""Bring in order what was saved of a damaged store.

What was saved goes on. A message that was yet to be sent, and of which no more than
its name can be read, has failed: nobody may wait for it in silence.
"""

from datetime import datetime
import json
import sqlite3

from ..adapters.call_models import CallState
from ..adapters.models import DeliveryStatus, RejectReason
from .salvage import Fragment, Row, Salvage

BEGUN_ANEW = "begun_anew"
"""The fact that ids may have been lost: since when only the provider knows them."""
_OPEN_INDEX = "outbound_open"
# Bytes that happen to be readable are no row: whatever reads them later must not fail.
_INBOUND_NONSENSE = """
    DELETE FROM inbound WHERE typeof(received_at) != 'real'
    OR (content IS NOT NULL AND NOT json_valid(content))
"""
_OUTBOUND_NONSENSE = """
    DELETE FROM outbound WHERE typeof(created_at) != 'real' OR typeof(at) != 'real'
    OR typeof(deadline) != 'real' OR open NOT IN (0, 1)
    OR status NOT IN (SELECT value FROM json_each(?))
"""
_MESSAGE_NONSENSE = """
    DELETE FROM message WHERE typeof(at) != 'real' OR typeof(correspondent) != 'text'
    OR unread NOT IN (0, 1)
    OR (status IS NULL, iif(json_valid(content), json_array_length(content), 0))
    NOT IN (VALUES (1, 5), (1, 7), (0, 2))
    OR status NOT IN (SELECT value FROM json_each(?))
    OR reason NOT IN (SELECT value FROM json_each(?))
"""
_CALL_NONSENSE = """
    DELETE FROM call WHERE typeof(created_at) != 'real' OR typeof(at) != 'real'
    OR typeof(settled_at) != 'real' OR direction NOT IN ('inbound', 'outbound')
    OR state NOT IN (SELECT value FROM json_each(?))
"""
_ATTACHMENT_NONSENSE = """
    DELETE FROM attachment WHERE typeof(part) != 'integer' OR typeof(size) != 'integer'
    OR typeof(at) != 'real' OR typeof(content_type) != 'text'
    OR length(blob) != 64 OR blob GLOB '*[^0-9a-f]*'
    OR message_id NOT IN (SELECT message_id FROM message)
"""
_ODD_KEY = "UPDATE call SET wanted = NULL WHERE NOT json_valid(wanted)"
_ODD_CONTACT = "UPDATE outbound SET contact = NULL WHERE NOT json_valid(contact)"
_NUMBERS = {
    "answer_sent": "at",
    "code_attempt": "at",
    "code_lock": "at",
    "code_used": "step",
    "cost_month": "amount",
    "fact": "value",
}
"""The columns of small tables that are to be numbers."""
# Whoever wants no more messages wants none, since whenever that is.
_ODD_CONSENT = "UPDATE consent SET stopped_at = 0 WHERE typeof(stopped_at) != 'real'"
_ACCEPTED = """
    INSERT OR IGNORE INTO outbound (
        message_id, provider_id, recipient, status, told, at, created_at, deadline
    ) VALUES (
        :message_id, :provider_id, :recipient, 'queued', 'queued', :now, :created_at,
        :now
    )
"""
_FAILED = """
    INSERT INTO outbound (
        message_id, recipient, status, told, reason, at, created_at, deadline, open
    ) VALUES (
        :message_id, :recipient, 'failed', 'queued', :reason, :now, :created_at, :now, 0
    ) ON CONFLICT (message_id) DO UPDATE SET
        status = 'failed', reason = excluded.reason, at = excluded.at, open = 0,
        content = NULL, next_at = NULL, price_due_at = NULL
"""
# An id is named by its message, or else by an index.
_NAMED_BY_MESSAGES = """
    INSERT OR IGNORE INTO inbound (message_id, received_at, late)
    SELECT message_id, at, 0 FROM message WHERE status IS NULL
"""
_KEPT = "UPDATE inbound SET kept = message_id IN (SELECT message_id FROM message)"


def mend(connection: sqlite3.Connection, saved: Salvage, now: datetime) -> None:
    """Make the new store whole."""
    _drop_nonsense(connection)
    for fragment in saved.fragments.get("inbound", ()):
        _remember(connection, fragment.values)
    if "inbound" in saved.incomplete:
        connection.execute(_NAMED_BY_MESSAGES)
    connection.execute(_KEPT)
    for fragment in saved.fragments.get("outbound", ()):
        saved.lost += _resolve(connection, fragment, now.timestamp())
    saved.lost += _fail_unreadable(connection, now.timestamp())
    _mend_facts(connection, saved, now.timestamp())


def _drop_nonsense(connection: sqlite3.Connection) -> None:
    connection.execute(_INBOUND_NONSENSE)
    connection.execute(_OUTBOUND_NONSENSE, (json.dumps(list(DeliveryStatus)),))
    known = json.dumps(list(DeliveryStatus)), json.dumps(list(RejectReason))
    connection.execute(_MESSAGE_NONSENSE, known)
    connection.execute(_ATTACHMENT_NONSENSE)
    connection.execute(_CALL_NONSENSE, (json.dumps(list(CallState)),))
    connection.execute(_ODD_KEY)
    connection.execute(_ODD_CONTACT)
    connection.execute(_ODD_CONSENT)
    for table, column in _NUMBERS.items():
        connection.execute(
            f"DELETE FROM {table}"  # noqa: S608  # our own names
            f" WHERE typeof({column}) NOT IN ('real', 'integer')"
        )


def _remember(connection: sqlite3.Connection, row: Row) -> None:
    """Keep an id that an index names: its message has been seen."""
    if isinstance(row.get("received_at"), float):
        connection.execute(
            "INSERT OR IGNORE INTO inbound (message_id, received_at, late) "
            "VALUES (:message_id, :received_at, 0)",
            row,
        )


def _resolve(connection: sqlite3.Connection, fragment: Fragment, now: float) -> bool:
    """Ask on about a message the provider has; give up one that has no text.

    Return whether it was given up.
    """
    row = {
        "provider_id": None,
        "recipient": "",
        "created_at": now,
        "reason": RejectReason.OTHER.value,
        **fragment.values,
        "now": now,
    }
    if row["provider_id"]:
        connection.execute(_ACCEPTED, row)
        return False
    # That of an older file names no other.
    if _OPEN_INDEX in fragment.indexes and fragment.values.get("open", True):
        _fail(connection, row)
        return True
    return False


def _fail_unreadable(connection: sqlite3.Connection, now: float) -> int:
    """Give up what is yet to be sent and has no text that can be read; count it."""
    rows = connection.execute(
        "SELECT message_id, recipient, created_at FROM outbound "
        "WHERE open AND provider_id IS NULL"
        " AND (content IS NULL OR NOT json_valid(content)"
        " OR iif(json_valid(content), json_type(content, '$[0]'), '') IS NOT 'text')"
    ).fetchall()
    for row in rows:
        reason = RejectReason.OTHER.value
        _fail(connection, {**dict(row), "now": now, "reason": reason})
    return len(rows)


def _fail(connection: sqlite3.Connection, row: Row) -> None:
    connection.execute(_FAILED, row)
    connection.execute(
        "INSERT INTO fact VALUES ('failed', 1) "
        "ON CONFLICT (name) DO UPDATE SET value = value + 1"
    )


def _mend_facts(connection: sqlite3.Connection, saved: Salvage, now: float) -> None:
    """Go on from the newest time that is known; without one, begin anew.

    What came while the file was damaged is read from there, and told late.
    """
    connection.execute(
        "INSERT OR REPLACE INTO fact SELECT 'pending', count(*) FROM outbound WHERE open"
    )
    connection.execute(
        "INSERT OR IGNORE INTO fact SELECT 'progress', coalesce("
        "(SELECT max(received_at) FROM inbound WHERE received_at <= :now),"
        " (SELECT value FROM fact WHERE name = 'horizon')) AS known"
        " WHERE known IS NOT NULL",
        {"now": now},
    )
    connection.execute(
        "INSERT OR IGNORE INTO fact SELECT 'horizon', min(value,"
        " coalesce((SELECT min(received_at) FROM inbound), value))"
        " FROM fact WHERE name = 'progress'"
    )
    if saved.incomplete & {"inbound", "fact"}:
        connection.execute(
            "INSERT OR REPLACE INTO fact VALUES (?, ?)", (BEGUN_ANEW, now)
        )
