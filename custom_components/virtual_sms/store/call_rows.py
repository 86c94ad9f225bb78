"""How the rows of the table of calls are written and read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import json
import sqlite3
from typing import Any

from ..adapters.call_models import (
    CallState,
    Direction,
    IncomingCall,
    KeyRequest,
    OutboundCall,
    RecordedCall,
)
from ..adapters.models import RejectReason
from .changes import CallChanged
from .outbound_orders import RECONCILE_AFTER, WATCH
from .outbound_rows import read_time

CHECK = timedelta(seconds=30)
"""How long nothing is heard of a call before the provider is asked."""
STATE = (
    "call_id, provider_id, direction, correspondent, contact, state, digits, duration, "
    "reason, error_code, at"
)
"""The columns that a state is read from."""
INSERT = """
    INSERT OR IGNORE INTO call (call_id, provider_id, direction, correspondent, contact,
        wanted, state, duration, at, created_at, sent_after, settled_at, next_at)
    VALUES (:call_id, :provider_id, :direction, :correspondent, :contact, :wanted,
        :state, :duration, :at, :created_at, :sent_after, :settled_at, :next_at)
"""


@dataclass(frozen=True, slots=True)
class WantedKey:
    """The key that acknowledges a call, and the language it is asked for in."""

    call_id: str
    request: KeyRequest
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCall:
    """A call of which the provider is to be asked.

    Without a `provider_id` its outcome is unknown; from `settled_at` on, the record of
    the provider can be believed, in which it is not before `sent_after`.
    """

    call_id: str
    provider_id: str | None
    correspondent: str = field(repr=False)
    created_at: datetime
    settled_at: datetime
    sent_after: datetime | None


def outbound_row(
    call: OutboundCall, now: datetime, steady: datetime, sent_after: datetime | None
) -> dict[str, object]:
    """Write a call that is about to be made."""
    key = call.key
    language = call.speech.language
    return {
        "call_id": call.call_id,
        "provider_id": None,
        "direction": Direction.OUTBOUND,
        "correspondent": call.recipient,
        "contact": call.contact,
        "wanted": key and json.dumps([key.digit, key.prompt, key.thanks, language]),
        "state": CallState.QUEUED,
        "duration": None,
        "at": now.timestamp(),
        "created_at": call.created_at.timestamp(),
        "sent_after": sent_after and sent_after.timestamp(),
        "settled_at": (steady + RECONCILE_AFTER).timestamp(),
        "next_at": (steady + WATCH).timestamp(),
    }


def inbound_row(
    call: IncomingCall, now: datetime, steady: datetime
) -> dict[str, object]:
    """Write a call of somebody else's."""
    return {
        "call_id": call.provider_id,
        "provider_id": call.provider_id,
        "direction": Direction.INBOUND,
        "correspondent": call.caller,
        "contact": None,
        "wanted": None,
        "state": CallState.RINGING,
        "duration": None,
        "at": now.timestamp(),
        "created_at": steady.timestamp(),
        "sent_after": None,
        "settled_at": steady.timestamp(),
        "next_at": (steady + CHECK).timestamp(),
    }


def recorded_row(call: RecordedCall, steady: datetime) -> dict[str, object]:
    """Write a call of somebody else's that has ended already."""
    ended = {"state": call.state, "duration": call.duration, "next_at": None}
    return inbound_row(call.call, call.at, steady) | ended


def read_state(row: Sequence[Any], previous: CallState | None = None) -> CallChanged:
    """Read where a call stands, as a change from an earlier state."""
    call_id, provider_id, direction, correspondent, contact, state, *details = row
    digits, duration, reason, error_code, at = details
    return CallChanged(
        call_id=call_id,
        provider_id=provider_id,
        direction=Direction(direction),
        correspondent=correspondent,
        contact=contact,
        state=CallState(state),
        previous=previous,
        digits=digits,
        duration=duration,
        reason=RejectReason(reason) if reason else None,
        error_code=error_code,
        at=read_time(at),
    )


def read_due(row: sqlite3.Row) -> DueCall:
    """Read a call that the provider is to be asked about."""
    sent_after = row["sent_after"]
    return DueCall(
        call_id=row["call_id"],
        provider_id=row["provider_id"],
        correspondent=row["correspondent"],
        created_at=read_time(row["created_at"]),
        settled_at=read_time(row["settled_at"]),
        sent_after=None if sent_after is None else read_time(sent_after),
    )
