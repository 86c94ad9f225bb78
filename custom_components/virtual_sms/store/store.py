"""Remember what has been seen, so that nothing is lost or published twice.

A message reaches us by callback, by polling, or by both, and a provider may
repeat itself after a timeout. Receipts overtake one another as well. The store
answers one question: is this new? What it answers is on disk first.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
import json
import sqlite3

from ..adapters.costs import Cost
from .answers import AnswerTable
from .attachments import AttachmentTable
from .calls import CallTable, note_calls, prune_calls
from .changes import CallChanged, Change, Received, StatusChanged
from .clock import SteadyClock, monotonic
from .codes import CodeTable
from .consent import CHANGES, ConsentTable
from .conversations import Conversations, prune_messages
from .database import Database
from .database_file import explain
from .inbound import InboundTable, note_received, prune_inbound
from .outbound import OutboundTable
from .outbound_orders import note_changes
from .prices import read_cost
from .recovery import mend
from .refusals import Rules
from .salvage import Salvage
from .transaction import Joint, Resolve
from .usage import Usage
from .usage_rows import UsageTable, forget_texts, read_usage

RETENTION = timedelta(days=200)
"""How long an inbound id is known: longer than any provider keeps its history."""
_KEEP_CLOSED = timedelta(days=30)
_MOST_OUTBOUND = 20_000
_MONTHS_SHOWN = 4
# How much there had been when the file was last written anew. Without a message or a call
# since then no row was moved, so that none has left a copy.
_NOTE_COMPACTED = f"""
    INSERT INTO fact SELECT 'compacted', total(value) +
        (SELECT total(created_at) FROM call) FROM fact
    WHERE name IN ('sent', 'received', 'failed', '{CHANGES}')
    ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value != excluded.value
"""  # noqa: S608  # our own constant
# A provider that has sent no receipt in three days sends none any more.
_GIVE_UP_RECEIPT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class MonthCost:
    """What the messages of a calendar month have cost, in one currency or credits."""

    month: str
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many messages there were since the set-up, and how many are under way."""

    sent: int = 0
    received: int = 0
    failed: int = 0
    pending: int = 0
    segments: int = 0
    costs: tuple[MonthCost, ...] = ()
    """What the newest months have cost, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """What helps to find out why something hangs."""

    schema: int
    oldest_pending: timedelta | None


class Store:
    """All that is remembered of one number: what came in, what went out, what was said."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        """Take the file to write in, the home's clock, and one that never jumps."""
        self._database = database
        self._now = now
        self._clock = SteadyClock(now, monotonic)
        self.tally = Tally()
        self._listeners: list[Callable[[], None]] = []
        self.inbound = InboundTable(database)
        self.codes = CodeTable(database)
        self.consent = ConsentTable(database)
        usage = Usage()
        self.usage = UsageTable(database, self._clock, usage)
        rules = Rules(usage, self.consent)
        self.answers = AnswerTable(database, self._clock)
        self.outbound = OutboundTable(database, now, self._clock, rules)
        self.conversations = Conversations(database)
        self.attachments = AttachmentTable(database)
        self.calls = CallTable(database, now, self._clock, rules)
        database.conclude = self._count
        database.mend = self._mend

    @property
    def salvage(self) -> Salvage | None:
        """Return what was saved at `open`, if the file was damaged."""
        return self._database.salvage

    async def open(self) -> None:
        """Open the file and take up what a crash left behind; raises StorageError."""
        await self._database.open()
        try:
            await self.outbound.recover()
            await self.calls.recover()
            await self._load()
        except sqlite3.Error as err:
            await self._database.close()
            raise explain(err) from err

    async def _load(self) -> None:
        """Know in memory what decides whether a message may leave."""
        now = self._clock.now()
        counted, used = await self._database.read(
            lambda connection: (self._count(connection), read_usage(connection, now))
        )
        counted()
        self.usage.load(used)

    def on_damage(self, listener: Callable[[], None]) -> None:
        """Have the listener called once if the file turns out to be damaged."""
        self._database.on_damage = listener

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have the listener called when the tally has changed; return how to end it."""
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    async def wait(self) -> None:
        """Wait until all is written that was begun before."""
        await self._database.read(lambda _: None)

    async def close(self) -> None:
        """Close the file; everything is on disk already."""
        await self._database.close()

    def note_published(
        self, changes: Sequence[Change], delay: float = 0.0
    ) -> asyncio.Future[None]:
        """Note that changes were published; see `Database.note` for `delay`.

        A power cut right after it may have the last ones published again.
        """
        return self._database.note(Joint(_note_all, changes), delay)

    async def examine(self) -> StoreHealth:
        """Look at the file, and at what has been under way for longest."""
        now = self._clock.now()
        return await self._database.read(lambda connection: _examine(connection, now))

    async def prune(self) -> None:
        """Forget what is too old, or too much, to matter.

        The file is written anew only if there was something new since it last was.
        """
        now, steady = self._now(), self._clock.now()

        def operation(connection: sqlite3.Connection) -> bool:
            forgotten = prune_inbound(connection, now, RETENTION)
            before = connection.total_changes
            _prune_outbound(connection, steady)
            prune_calls(connection, steady - _KEEP_CLOSED)
            prune_messages(connection, now)
            forget_texts(connection, steady)
            connection.execute(_NOTE_COMPACTED)
            return bool(forgotten) or connection.total_changes != before

        if await self._database.run(operation):
            self._database.compact()

    def _mend(self, connection: sqlite3.Connection, saved: Salvage) -> None:
        mend(connection, saved, self._now())

    def _count(self, connection: sqlite3.Connection) -> Resolve:
        """Count anew, once for all that is written together."""
        tally, changes = _read_tally(connection)
        stopped = self.consent.read_anew(connection, changes)

        def resolve() -> None:
            self.consent.know(stopped, changes)
            if tally != self.tally:
                self.tally = tally
                # Later, for a listener that fails must not keep others from their results.
                asyncio.get_running_loop().call_soon(self._notify)

        return resolve

    def _notify(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _note_all(
    connection: sqlite3.Connection, published: Sequence[Sequence[Change]]
) -> list[None]:
    """Note that some changes were published after others."""
    changes = [*chain.from_iterable(published)]
    note_received(connection, (each for each in changes if isinstance(each, Received)))
    note_changes(
        connection, (each for each in changes if isinstance(each, StatusChanged))
    )
    note_calls(connection, (each for each in changes if isinstance(each, CallChanged)))
    return [None] * len(published)


def _examine(connection: sqlite3.Connection, now: datetime) -> StoreHealth:
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    (oldest,) = connection.execute(
        "SELECT min(created_at) FROM outbound INDEXED BY outbound_open WHERE open"
    ).fetchone()
    age = None if oldest is None else now - datetime.fromtimestamp(oldest, UTC)
    return StoreHealth(schema=schema, oldest_pending=age)


def _read_tally(connection: sqlite3.Connection) -> tuple[Tally, int]:
    """Read how many messages there were, and how often somebody changed their mind."""
    # As one row, for to fetch one is to wait once.
    counts, costs = connection.execute(
        "SELECT json_group_object(name, CAST(value AS INTEGER)), ("
        " SELECT json_group_array(json_array(month, amount, currency)) FROM ("
        "  SELECT * FROM cost_month ORDER BY month DESC LIMIT ?)) FROM fact"
        " WHERE name IN ('sent', 'received', 'failed', 'pending', 'segments', ?)",
        (_MONTHS_SHOWN, CHANGES),
    ).fetchone()
    facts = json.loads(counts)
    changes = facts.pop(CHANGES, 0)
    months = (
        MonthCost(month, cost)
        for month, *price in json.loads(costs)
        if (cost := read_cost(*price))
    )
    return Tally(**facts, costs=tuple(months)), changes


def _prune_outbound(connection: sqlite3.Connection, now: datetime) -> None:
    connection.execute(
        "UPDATE outbound INDEXED BY outbound_open SET open = 0 "
        "WHERE open AND provider_id IS NOT NULL AND created_at < ?",
        ((now - _GIVE_UP_RECEIPT).timestamp(),),
    )
    connection.execute(
        "DELETE FROM outbound WHERE NOT open AND (created_at < ? OR message_id IN ("
        "SELECT message_id FROM outbound ORDER BY created_at"
        " LIMIT max(0, (SELECT count(*) FROM outbound) - ?)))",
        ((now - _KEEP_CLOSED).timestamp(), _MOST_OUTBOUND),
    )
