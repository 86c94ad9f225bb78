"""Remember what has been seen, so that nothing is lost or published twice.

A message reaches us by callback, by polling, or by both, and a provider may
repeat itself after a timeout. Receipts overtake one another as well. The store
answers one question: is this news? What it answers is on disk first.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
import json
import sqlite3

from .answers import AnswerTable
from .changes import Change, Received, StatusChanged
from .clock import SteadyClock, monotonic
from .codes import CodeTable
from .consent import ConsentTable
from .database import Database, Resolve
from .database_file import explain
from .inbound import InboundTable, note_received, prune_inbound
from .outbound import OutboundTable, note_changes
from .recovery import mend
from .salvage import Salvage
from .trust_tables import TRUST_TABLES
from .usage import UsageTable, forget_texts

MIGRATIONS = (
    """
    CREATE TABLE inbound (
        message_id TEXT PRIMARY KEY, received_at REAL NOT NULL,
        late INTEGER NOT NULL, content TEXT
    ) WITHOUT ROWID;
    CREATE INDEX inbound_unpublished ON inbound (received_at) WHERE content IS NOT NULL;
    CREATE INDEX inbound_age ON inbound (received_at);
    CREATE TABLE outbound (
        message_id TEXT PRIMARY KEY, provider_id TEXT, recipient TEXT NOT NULL,
        content TEXT, status TEXT NOT NULL, told TEXT, reason TEXT, error_code TEXT,
        at REAL NOT NULL, created_at REAL NOT NULL, deadline REAL NOT NULL,
        settled_at REAL, next_at REAL,
        checked_at REAL NOT NULL DEFAULT 0, open INTEGER NOT NULL DEFAULT 1
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX outbound_provider ON outbound (provider_id);
    CREATE INDEX outbound_due ON outbound (next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX outbound_open ON outbound (checked_at) WHERE open;
    CREATE INDEX outbound_age ON outbound (created_at);
    CREATE TABLE early (
        provider_id TEXT, status TEXT, reason TEXT, error_code TEXT, at REAL,
        PRIMARY KEY (provider_id, status)
    ) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID
    """,
    # What is under way is shown after every write, so it must not be counted then.
    """
    INSERT INTO fact SELECT 'pending', count(*) FROM outbound WHERE open;
    CREATE TRIGGER pending_begun AFTER INSERT ON outbound WHEN new.open BEGIN
        UPDATE fact SET value = value + 1 WHERE name = 'pending';
    END;
    CREATE TRIGGER pending_ended AFTER UPDATE OF open ON outbound
    WHEN new.open != old.open BEGIN
        UPDATE fact SET value = value + new.open - old.open WHERE name = 'pending';
    END
    """,
    # `sent_after`: the provider's time from which its record may show the message.
    # `asked`: how often a provider was asked where it stands. `cost` in millionths.
    """
    ALTER TABLE outbound ADD COLUMN sent_after REAL;
    ALTER TABLE outbound ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE outbound ADD COLUMN segments INTEGER;
    ALTER TABLE outbound ADD COLUMN encoding TEXT;
    ALTER TABLE outbound ADD COLUMN contact TEXT;
    ALTER TABLE outbound ADD COLUMN cost INTEGER;
    ALTER TABLE outbound ADD COLUMN currency TEXT;
    ALTER TABLE inbound ADD COLUMN correspondent TEXT;
    ALTER TABLE inbound ADD COLUMN contact TEXT;
    CREATE INDEX outbound_correspondent ON outbound (recipient, created_at);
    CREATE INDEX inbound_correspondent ON inbound (correspondent, received_at);
    CREATE TABLE set_aside (
        record_id TEXT PRIMARY KEY, reason TEXT NOT NULL, since REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE forgotten (id INTEGER PRIMARY KEY)
    """,
    TRUST_TABLES,
)
"""Each brings the file from one version to the next; never change a released one."""

RETENTION = timedelta(days=200)
"""How long an inbound id is known: longer than any provider keeps its history."""
_KEEP_CLOSED = timedelta(days=30)
_KEEP_EARLY = timedelta(hours=1)
_MOST_OUTBOUND = 20_000
# A provider that has sent no receipt in three days sends none any more.
_GIVE_UP_RECEIPT = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many messages there were since the set-up, and how many are under way."""

    sent: int = 0
    received: int = 0
    failed: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """What helps to find out why something hangs."""

    schema: int
    oldest_pending: timedelta | None


class Store:
    """All that is remembered of one number, in two books."""

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
        self.usage = UsageTable(database, self._clock)
        self.answers = AnswerTable(database, self._clock)
        self.outbound = OutboundTable(database, now, self._clock)
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
        except sqlite3.Error as err:
            await self._database.close()
            raise explain(err) from err

    def on_damage(self, listener: Callable[[], None]) -> None:
        """Have the listener called once if the file turns out to be damaged."""
        self._database.on_damage = listener

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have the listener called when the tally has changed; return how to end it."""
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    async def close(self) -> None:
        """Close the file; everything is on disk already."""
        await self._database.close()

    def note_published(
        self, changes: Sequence[Change], delay: float = 0.0
    ) -> asyncio.Future[None]:
        """Note that changes were made; see `Database.post` for `delay`."""
        return self._database.post(_note, changes, delay=delay)

    async def examine(self) -> StoreHealth:
        """Look at the file, and at what has been under way for longest."""
        now = self._clock.now()
        return await self._database.run(lambda connection: _examine(connection, now))

    async def prune(self) -> None:
        """Forget what is too old, or too much, to matter."""
        now, steady = self._now(), self._clock.now()

        def operation(connection: sqlite3.Connection) -> None:
            prune_inbound(connection, now, RETENTION)
            _prune_outbound(connection, steady)
            forget_texts(connection, steady)

        await self._database.run(operation)

    def _mend(self, connection: sqlite3.Connection, saved: Salvage) -> None:
        mend(connection, saved, self._now())

    def _count(self, connection: sqlite3.Connection) -> Resolve:
        """Count anew, once for all that is written together."""
        tally = _read_tally(connection)

        def resolve() -> None:
            if tally != self.tally:
                self.tally = tally
                # Later, for who fails to hear must not keep others from their results.
                asyncio.get_running_loop().call_soon(self._tell)

        return resolve

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _note(
    connection: sqlite3.Connection, notes: Sequence[Sequence[Change]]
) -> Sequence[None]:
    told = [each for some in notes for each in some]
    note_received(connection, (each for each in told if isinstance(each, Received)))
    note_changes(connection, (each for each in told if isinstance(each, StatusChanged)))
    return [None] * len(notes)


def _examine(connection: sqlite3.Connection, now: datetime) -> StoreHealth:
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    (oldest,) = connection.execute(
        "SELECT min(created_at) FROM outbound INDEXED BY outbound_open WHERE open"
    ).fetchone()
    age = None if oldest is None else now - datetime.fromtimestamp(oldest, UTC)
    return StoreHealth(schema=schema, oldest_pending=age)


def _read_tally(connection: sqlite3.Connection) -> Tally:
    # As one row, for to fetch one is to wait once.
    (tally,) = connection.execute(
        "SELECT json_group_object(name, CAST(value AS INTEGER)) FROM fact "
        "WHERE name IN ('sent', 'received', 'failed', 'pending')"
    ).fetchone()
    return Tally(**json.loads(tally))


def _prune_outbound(connection: sqlite3.Connection, now: datetime) -> None:
    connection.execute(
        "UPDATE outbound INDEXED BY outbound_open SET open = 0 "
        "WHERE open AND provider_id IS NOT NULL AND created_at < ?",
        ((now - _GIVE_UP_RECEIPT).timestamp(),),
    )
    connection.execute(
        "DELETE FROM outbound WHERE NOT open AND (created_at < ? OR message_id IN ("
        "SELECT message_id FROM outbound ORDER BY created_at DESC LIMIT -1 OFFSET ?))",
        ((now - _KEEP_CLOSED).timestamp(), _MOST_OUTBOUND),
    )
    connection.execute(
        "DELETE FROM early WHERE at < ?", ((now - _KEEP_EARLY).timestamp(),)
    )
