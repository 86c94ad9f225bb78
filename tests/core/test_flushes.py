"""What a message takes from the disk: flushes, bytes, and statements that wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4, uuid7

import pytest

from custom_components.virtual_sms.adapters.models import DeliveryStatus
from custom_components.virtual_sms.store import database
from custom_components.virtual_sms.store.database_file import DatabaseFile
from custom_components.virtual_sms.store.usage import Limits
from tests.fakes import inbound, outbound, receipt

from .test_departure import Home

KIB = 1024
NO_LIMITS = Limits(hour=None, day=None, repeats=None)


@dataclass
class Cost:
    """What something took: flushes, bytes beside the file, and statements."""

    flushes: int = 0
    bytes: int = 0
    statements: int = 0


class Meter:
    """Counts what a line writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
        self.home = home
        self.cost = Cost()
        connection = home.store._database._connection
        assert connection is not None
        connection.set_trace_callback(self._count)
        sync = DatabaseFile.sync

        def count_and_sync(file: DatabaseFile) -> None:
            self.cost.flushes += 1
            sync(file)

        monkeypatch.setattr(DatabaseFile, "sync", count_and_sync)

    async def measure(self, deed: Awaitable[Any]) -> Cost:
        """Return what something costs with all that follows from it."""
        self.cost, before = Cost(), self._size
        await deed
        # Nothing is asked of the file meanwhile, for that would be company.
        await asyncio.sleep(0.1)
        cost, self.cost = self.cost, Cost()
        cost.bytes = self._size - before
        return cost

    @property
    def _size(self) -> int:
        beside = self.home.path.with_name(self.home.path.name + "-wal")
        return beside.stat().st_size

    def _count(self, statement: str) -> None:
        # What a trigger does costs no wait; sqlite shows it as the statement again.
        self.cost.statements += 1


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    """Start a line whose file is never tidied up meanwhile."""
    monkeypatch.setattr(database, "QUIET", 60)
    home = Home(tmp_path / "store.db")
    await home.start()
    await home.gateway.inbox.begin()
    yield home
    await home.gateway.close()


async def fill(home: Home, count: int) -> None:
    """Have a line remember many messages."""
    now = home.clock()
    messages = [
        outbound(uuid7().hex, text=f"number {each}", recipient=f"+336{each:08}")
        for each in range(count)
    ]
    await home.store.note_published(await home.store.outbound.add(messages, now))
    texts = [inbound(uuid4().hex, at=each, text="hello") for each in range(count)]
    received = await home.store.inbound.admit(texts, late=False)
    await home.store.note_published(received)
    # Else sqlite would write over what is there, and nothing would grow.
    connection = home.store._database._connection
    assert connection is not None
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.parametrize(
    ("count", "kib"), [(0, (8, 15, 6)), (5000, (12, 21, 6))], ids=["few", "many"]
)
async def test_a_message_costs_few_flushes_and_bytes(
    home: Home, monkeypatch: pytest.MonkeyPatch, count: int, kib: tuple[int, int, int]
) -> None:
    """One flush for what comes in, two for what is sent, one for a status.

    So it is with conversations that are kept, which is as a home begins.
    """
    await home.store.conversations.keep(30, home.clock())
    await fill(home, count)
    meter = Meter(monkeypatch, home)
    written: list[list[int]] = []
    for number in range(12):
        message = inbound(uuid4().hex, at=20_000 + number, text="hello " * 8)
        costs = [await meter.measure(home.gateway.inbox.take(message))]
        text = f"Water in the cellar, please come home {number}"
        sending = home.send(uuid7().hex, text=text, limits=NO_LIMITS)
        costs.append(await meter.measure(sending))
        _, provider_id, _ = home.adapter.accepted[-1]
        delivered = receipt(provider_id, DeliveryStatus.DELIVERED)
        costs.append(await meter.measure(home.gateway.inbox.take(delivered)))
        assert [each.flushes for each in costs] == [1, 2, 1]
        written.append([each.bytes for each in costs])
    # Where a page is full, it is parted: one alone may take a little more.
    usual = [median(each) / KIB for each in zip(*written, strict=True)]
    assert all(each <= most for each, most in zip(usual, kib, strict=True)), usual


async def test_a_poll_that_finds_nothing_writes_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs no flush and no byte, and as little after ten thousand callbacks."""
    home.clock.advance(3600)
    await home.gateway.inbox.catch_up(late=False)
    meter = Meter(monkeypatch, home)
    empty = await meter.measure(home.gateway.inbox.catch_up(late=False))
    questions = len(home.adapter.questions)
    texts = [inbound(f"i{each}", at=each / 4, text="hello") for each in range(10_000)]
    home.adapter.record.extend(texts)
    await asyncio.gather(*(home.gateway.inbox.take(each) for each in texts))
    await home.rest()
    home.clock.advance(3600)
    await home.gateway.inbox.catch_up(late=False)
    asked = len(home.adapter.questions)
    full = await meter.measure(home.gateway.inbox.catch_up(late=False))
    assert (empty.flushes, empty.bytes) == (full.flushes, full.bytes) == (0, 0)
    assert full.statements == empty.statements
    assert len(home.adapter.questions) - asked <= questions


async def test_a_file_at_rest_is_left_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever only reads has nothing tidied up, so an idle line wears no card."""
    monkeypatch.setattr(database, "QUIET", 0.02)
    await home.send("m")
    await asyncio.sleep(0.2)
    while home.store._database._tidy_timer or home.store._database._writer:
        await asyncio.sleep(0.02)
    before = home.path.stat().st_mtime_ns
    for _ in range(3):
        await home.store.examine()
        await asyncio.sleep(0.05)
    assert home.path.stat().st_mtime_ns == before
    assert home.store._database._tidy_timer is None


async def test_the_flush_that_begins_a_file_anew_is_behind_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a quiet moment the file beside has its beginning already."""
    monkeypatch.setattr(database, "QUIET", 0.02)
    await home.send("m")
    await asyncio.sleep(0.2)
    beside = home.path.with_name(home.path.name + "-wal")
    assert 0 < beside.stat().st_size < 2 * KIB
