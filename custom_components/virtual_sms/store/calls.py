"""The table of calls: where each stands until nothing can follow.

The outcome of a call is unknown while it has no id of the provider's. It is never made
a second time: the provider's record tells whether it was made at all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
import sqlite3

from ..adapters.call_models import (
    CallState,
    CallUpdate,
    IncomingCall,
    KeyRequest,
    OutboundCall,
    PlacedCall,
    RecordedCall,
)
from ..adapters.models import RejectReason
from .call_rows import (
    CHECK,
    INSERT,
    STATE,
    DueCall,
    WantedKey,
    inbound_row,
    outbound_row,
    read_due,
    read_state,
    recorded_row,
)
from .changes import CallChanged
from .clock import SteadyClock
from .database import CANNOT_WRITE, Database
from .outbound_orders import RECONCILE_AFTER
from .outbound_rows import read_time
from .refusals import Refusal, Rules, show_ends
from .usage import Allowance
from .usage_rows import use_month

_RECORD = "calls_since"
_MOVE = """
    UPDATE call SET state = :state, digits = coalesce(:digits, digits),
        duration = coalesce(:duration, duration), reason = :reason,
        error_code = :error_code, at = :at, next_at = :next_at
    WHERE call_id = :call_id
"""


@dataclass(frozen=True, slots=True)
class QueuedCalls:
    """The first states of calls that are new, and which are not made, by their ids."""

    changes: list[CallChanged]
    refusals: Mapping[str, Refusal]


class CallTable:
    """Write down each call before it is made, and only ever move it forward."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        clock: SteadyClock,
        rules: Rules,
    ) -> None:
        """Take the way to the disk, both times, and who decides what may be done."""
        self._run = database.run
        self._rules = rules
        self._now = now
        self.clock = clock

    async def queue(
        self,
        calls: Sequence[OutboundCall],
        sent_after: datetime | None,
        allowance: Allowance | None = None,
    ) -> QueuedCalls:
        """Record calls that are made at once, but for those that are not to be made."""
        now, steady = self._now(), self.clock.now()
        decision = self._rules.take(calls, allowance, steady)
        uses = decision.uses
        rows = [
            outbound_row(call, now, steady, sent_after)
            for call in calls
            if call.call_id in uses
        ]

        def operation(connection: sqlite3.Connection) -> list[CallChanged]:
            added = _add(connection, rows)
            if allowance is not None and added:
                use_month(connection, allowance.month.name, len(added))
            return added

        try:
            added = await self._run(operation)
        except CANNOT_WRITE:
            self._rules.give_back(uses.values())
            raise
        known = uses.keys() - {each.call_id for each in added}
        self._rules.give_back(uses[each] for each in known)
        return QueuedCalls(added, show_ends(decision.refusals, self.clock.offset))

    async def find(self, call_id: str) -> CallChanged | None:
        """Return where a call stands, by our id."""
        return await self._run(
            lambda connection: _read(connection, "call_id = ?", call_id)
        )

    async def ring(self, call: IncomingCall, *, rejected: bool) -> list[CallChanged]:
        """Record that somebody calls, and return what is new about that."""
        row = inbound_row(call, self._now(), self.clock.now())
        end = CallUpdate(provider_id=call.provider_id, state=CallState.REJECTED)

        def operation(connection: sqlite3.Connection) -> list[CallChanged]:
            changes = _add(connection, [row])
            if changes and rejected:
                changes += self._move(connection, changes[0], end)
            return changes

        return await self._run(operation)

    async def admit(self, calls: Sequence[RecordedCall]) -> list[CallChanged]:
        """Record calls that nothing told of in time, and return those that are new."""
        steady = self.clock.now()
        rows = [recorded_row(each, steady) for each in calls]
        return await self._run(lambda connection: _add(connection, rows))

    async def begin_record(self, now: datetime) -> datetime:
        """Return since when the calls of others count: those before are history."""
        return await self._run(lambda connection: _begin_record(connection, now))

    async def forget_record(self) -> None:
        """Have the calls of others count from the next `begin_record` on."""
        await self._run(
            lambda connection: connection.execute(
                "DELETE FROM fact WHERE name = ?", (_RECORD,)
            )
        )

    async def accept(self, call_id: str, placed: PlacedCall) -> list[CallChanged]:
        """Record that the provider makes a call, and return what is new about that."""
        return await self.receive(
            CallUpdate(
                provider_id=placed.provider_id, state=placed.state, call_id=call_id
            )
        )

    async def receive(self, update: CallUpdate) -> list[CallChanged]:
        """Apply what the provider says of a call, and return what is new."""

        def operation(connection: sqlite3.Connection) -> list[CallChanged]:
            state = _find(connection, update, self.clock.now() + CHECK)
            return self._move(connection, state, update) if state else []

        return await self._run(operation)

    async def end(
        self,
        call_id: str,
        reason: RejectReason,
        error_code: str | None = None,
    ) -> list[CallChanged]:
        """Record that a call failed, unless the provider is known to make it."""
        update = CallUpdate(
            provider_id="",
            state=CallState.FAILED,
            reason=reason,
            error_code=error_code,
        )

        def operation(connection: sqlite3.Connection) -> list[CallChanged]:
            unclaimed = "call_id = ? AND provider_id IS NULL"
            state = _read(connection, unclaimed, call_id)
            return self._move(connection, state, update) if state else []

        return await self._run(operation)

    async def find_key(self, update: CallUpdate) -> WantedKey | None:
        """Return the key that a call asks for, if it asks for one."""
        row = await self._run(
            lambda connection: connection.execute(
                "SELECT call_id, wanted FROM call WHERE provider_id = ? OR call_id = ?",
                (update.provider_id, update.call_id),
            ).fetchone()
        )
        if row is None or row[1] is None:
            return None
        digit, prompt, thanks, language = json.loads(row[1])
        request = KeyRequest(digit=digit, prompt=prompt, thanks=thanks)
        return WantedKey(row[0], request, language)

    async def knows(self, update: CallUpdate) -> bool:
        """Say whether a call is one of this table's."""
        return await self._run(
            lambda connection: _find_row(connection, update) is not None
        )

    async def is_claimed(self, provider_id: str) -> bool:
        """Say whether a provider's id belongs to a call in this table."""
        return await self._run(
            lambda connection: (
                _read(connection, "provider_id = ?", provider_id) is not None
            )
        )

    async def due(self) -> list[DueCall]:
        """List the calls that the provider is to be asked about now, oldest first."""
        now = self.clock.now().timestamp()
        rows = await self._run(
            lambda connection: connection.execute(
                "SELECT * FROM call INDEXED BY call_due "
                "WHERE next_at <= ? ORDER BY created_at",
                (now,),
            ).fetchall()
        )
        return [read_due(row) for row in rows]

    async def next_due(self) -> datetime | None:
        """Return when the provider is to be asked about a call again."""
        (when,) = await self._run(
            lambda connection: connection.execute(
                "SELECT min(next_at) FROM call WHERE next_at IS NOT NULL"
            ).fetchone()
        )
        return None if when is None else read_time(when)

    async def postpone(self, call_id: str, pause: timedelta) -> None:
        """Ask about an open call again after a pause."""
        next_at = (self.clock.now() + pause).timestamp()
        await self._run(
            lambda connection: connection.execute(
                "UPDATE call SET next_at = ? WHERE call_id = ? AND next_at IS NOT NULL",
                (next_at, call_id),
            )
        )

    async def recover(self) -> None:
        """Ask at once about all calls that an earlier run left open."""
        now = self.clock.now()
        times = (now.timestamp(), (now + RECONCILE_AFTER).timestamp())
        await self._run(
            lambda connection: connection.execute(
                "UPDATE call SET next_at = ?, settled_at = ? WHERE next_at IS NOT NULL",
                times,
            )
        )

    async def unpublished(self) -> list[CallChanged]:
        """List the states that were reached but not published."""
        rows = await self._run(
            lambda connection: connection.execute(
                f"SELECT {STATE}, published FROM call "  # noqa: S608  # our own constant
                "WHERE published IS NOT state ORDER BY at"
            ).fetchall()
        )
        return [
            read_state(state, CallState(published) if published else None)
            for *state, published in rows
        ]

    def _move(
        self, connection: sqlite3.Connection, state: CallChanged, update: CallUpdate
    ) -> list[CallChanged]:
        """Move a call forward; a later poll asks what no callback tells."""
        if update.state.rank <= state.state.rank:
            return []
        change = CallChanged(
            call_id=state.call_id,
            provider_id=state.provider_id,
            direction=state.direction,
            correspondent=state.correspondent,
            contact=state.contact,
            state=update.state,
            previous=state.state,
            digits=update.digits or state.digits,
            duration=update.duration,
            reason=update.reason,
            error_code=update.error_code,
            # Providers round their times: no state may seem older than the one before.
            at=max(update.at or self._now(), state.at),
        )
        next_at = None if change.state.is_final else self.clock.now() + CHECK
        connection.execute(
            _MOVE,
            {
                "call_id": change.call_id,
                "state": change.state,
                "digits": change.digits,
                "duration": change.duration,
                "reason": change.reason,
                "error_code": change.error_code,
                "at": change.at.timestamp(),
                "next_at": next_at and next_at.timestamp(),
            },
        )
        return [change]


def note_calls(connection: sqlite3.Connection, changes: Iterable[CallChanged]) -> None:
    """Note that changes were published, the last of each call."""
    published = {change.call_id: change.state for change in changes}
    if published:
        connection.execute(
            "UPDATE call SET published = each.value FROM json_each(?) AS each "
            "WHERE call_id = each.key",
            (json.dumps(published),),
        )


def prune_calls(connection: sqlite3.Connection, before: datetime) -> None:
    """Forget calls that ended long ago."""
    connection.execute(
        "DELETE FROM call WHERE next_at IS NULL AND created_at < ?",
        (before.timestamp(),),
    )


def _begin_record(connection: sqlite3.Connection, now: datetime) -> datetime:
    connection.execute(
        "INSERT OR IGNORE INTO fact VALUES (?, ?)", (_RECORD, now.timestamp())
    )
    (since,) = connection.execute(
        "SELECT value FROM fact WHERE name = ?", (_RECORD,)
    ).fetchone()
    return read_time(since)


def _add(
    connection: sqlite3.Connection, rows: Sequence[dict[str, object]]
) -> list[CallChanged]:
    """Insert rows, and return the first states of those that are new."""
    new = [row for row in rows if connection.execute(INSERT, row).rowcount]
    found = [_read(connection, "call_id = ?", str(row["call_id"])) for row in new]
    return [each for each in found if each is not None]


def _find(
    connection: sqlite3.Connection, update: CallUpdate, next_at: datetime
) -> CallChanged | None:
    """Return where a call stands, learning the provider's id."""
    state = _find_row(connection, update)
    if state is None or state.provider_id is not None:
        return state
    connection.execute(
        "UPDATE call SET provider_id = ?, next_at = iif(next_at IS NULL, NULL, ?) "
        "WHERE call_id = ?",
        (update.provider_id, next_at.timestamp(), state.call_id),
    )
    return _read(connection, "call_id = ?", state.call_id)


def _find_row(connection: sqlite3.Connection, update: CallUpdate) -> CallChanged | None:
    known = _read(connection, "provider_id = ?", update.provider_id)
    if known is not None or update.call_id is None:
        return known
    found = _read(connection, "call_id = ?", update.call_id)
    # One that has another id is another call.
    return found if found and found.provider_id is None else None


def _read(connection: sqlite3.Connection, where: str, value: str) -> CallChanged | None:
    row = connection.execute(
        f"SELECT {STATE} FROM call WHERE {where}",  # noqa: S608  # our own constants
        (value,),
    ).fetchone()
    return None if row is None else read_state(row)
