"""A message leaves while it is being written down, at most once, within its limits."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import errno
from pathlib import Path
import sqlite3
import threading
from typing import Any, override

import pytest

from custom_components.virtual_sms.adapters.errors import (
    MessageRejectedError,
    ProviderUnavailableError,
    SendOutcomeUnknownError,
    SmsError,
)
from custom_components.virtual_sms.adapters.models import DeliveryStatus, SentMessage
from custom_components.virtual_sms.core.gateway import Gateway
from custom_components.virtual_sms.core.limits import LimitReachedError
from custom_components.virtual_sms.core.outbox import Plan
from custom_components.virtual_sms.core.outcome import Outcome
from custom_components.virtual_sms.store import (
    database_file,
    outbound as outbound_table,
)
from custom_components.virtual_sms.store.changes import Change
from custom_components.virtual_sms.store.consent import Source, note_consent
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.database_file import DatabaseFile, StorageError
from custom_components.virtual_sms.store.journal import Journal, Line
from custom_components.virtual_sms.store.schema import MIGRATIONS
from custom_components.virtual_sms.store.store import Store
from custom_components.virtual_sms.store.usage import Allowance, Limit, Limits, Month
from tests.fakes import (
    START,
    Clock,
    FakeAdapter,
    FullDisk,
    come_to_rest,
    make_dependencies,
    make_hooks,
    outbound,
    receipt,
)

RETRY_WINDOW = timedelta(minutes=30)
MONTH = Month("2026-11", datetime(2026, 12, 1, tzinfo=UTC))
TIMEOUT = SendOutcomeUnknownError("no answer in time")
DOWN = ProviderUnavailableError("refused", maybe_processed=False)
REFUSED = MessageRejectedError()


class Adapter(FakeAdapter):
    """A provider that has sent a message as soon as it has accepted it."""

    @override
    async def _send(self, *args: Any) -> SentMessage:
        sent = await super()._send(*args)
        return replace(sent, status=DeliveryStatus.SENT)


class Home:
    """A line at work on a real disk, with workers of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.adapter = Adapter(self.clock)
        self.heard: list[Change] = []

    async def start(self) -> None:
        """Start, on what an earlier run left."""
        loop = asyncio.get_running_loop()

        async def run_blocking(target: Callable[..., Any], /, *args: Any) -> Any:
            return await loop.run_in_executor(None, target, *args)

        database = Database(self.path, MIGRATIONS, run_blocking)
        self.store = Store(database, self.clock, self.clock.monotonic)
        dependencies = make_dependencies(self.clock)
        hooks = make_hooks(self.heard.append)
        self.gateway = Gateway(self.adapter.line(), self.store, hooks, dependencies)
        await self.gateway.open()
        self.gateway.start()

    async def send(
        self,
        *ids: str,
        limits: Limits | None = None,
        plan: Plan = Plan.NONE,
        **content: str,
    ) -> list[Outcome]:
        """Send messages that are alike."""
        now = self.store.outbound.clock.now()
        messages = [outbound(each, created_at=now, **content) for each in ids]
        allowance = Allowance(limits=limits or Limits(), month=MONTH)
        return await self.gateway.send(messages, RETRY_WINDOW, allowance, plan=plan)

    async def crash(self, folder: Path) -> Home:
        """Start again on what a kill leaves at this moment."""
        folder.mkdir()
        for each in self.path.parent.glob(f"{self.path.stem}.*"):
            if each.suffix != ".db-shm":
                (folder / each.name).write_bytes(each.read_bytes())
        again = Home(folder / self.path.name)
        again.clock, again.adapter = self.clock, self.adapter
        await again.start()
        return again

    async def rest(self) -> None:
        """Wait until all is written, published and noted."""
        for task in list(self.gateway.outbox._results._under_way.values()):
            await task
        await come_to_rest(self.store, self.gateway._publisher)

    async def live(self, seconds: float) -> None:
        """Let time go by, and work whenever something is due."""
        until = self.clock.true + timedelta(seconds=seconds)
        while (pause := await self.gateway.outbox.work()) is not None:
            if self.clock.true + pause > until:
                break
            self.clock.advance(pause.total_seconds())
        await self.rest()

    def states(self, message_id: str = "m") -> list[str]:
        """List the states of a message, as they were published."""
        return [
            each.status
            for each in self.heard
            if getattr(each, "message_id", None) == message_id
        ]

    def on_disk(self) -> list[str]:
        """List the messages that survive a power cut at this moment."""
        with sqlite3.connect(self.path) as connection:
            rows = connection.execute("SELECT message_id FROM outbound").fetchall()
        connection.close()
        return [message_id for (message_id,) in rows]

    @property
    def accepted(self) -> list[str]:
        """List what the provider took, once for each time it did."""
        return [message.message_id for _, _, message in self.adapter.accepted]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """Start a line for the first time."""
    home = Home(tmp_path / "store.db")
    await home.start()
    yield home
    await home.gateway.close()


class SlowDisk:
    """The disk of a line, at which each write waits from some one on."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, home: Home, blocks_from: int = 1
    ) -> None:
        self.writes = 0
        self.gate = threading.Event()
        slow, sync = home.store._database._file, DatabaseFile.sync

        def wait_and_sync(file: DatabaseFile) -> None:
            if file is slow:
                self.writes += 1
                if self.writes >= blocks_from:
                    self.gate.wait(5)
            sync(file)

        monkeypatch.setattr(DatabaseFile, "sync", wait_and_sync)


async def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_nothing_lies_between_the_call_and_the_request(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider has the message before any worker begins to write it down."""
    database, requested = home.store._database, list[list[str]]()
    work = database._run_blocking

    async def look_and_work(*args: Any) -> Any:
        requested.append(home.accepted)
        return await work(*args)

    monkeypatch.setattr(database, "_run_blocking", look_and_work)
    await home.send("m")
    assert requested[0] == ["m"]


async def test_the_request_does_not_wait_for_the_disk(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider has the message before it is on disk; the caller hears of it after."""
    disk = SlowDisk(monkeypatch, home)
    sending = asyncio.create_task(home.send("m"))
    await wait_for(lambda: home.accepted)
    await asyncio.sleep(0.02)
    assert not sending.done()
    disk.gate.set()
    [outcome] = await sending
    assert (outcome.status, outcome.is_remembered) == (DeliveryStatus.SENT, True)
    assert home.on_disk() == ["m"]
    await home.rest()
    assert home.states() == ["queued", "sent"]


async def test_the_caller_does_not_wait_for_the_acceptance_to_be_on_disk(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An intent on disk without one is reconciled after a crash, so that is enough."""
    disk = SlowDisk(monkeypatch, home, blocks_from=2)
    [outcome] = await home.send("m")
    assert outcome.provider_id == "P0"
    await wait_for(lambda: disk.writes == 2)
    disk.gate.set()
    await home.rest()
    assert home.states() == ["queued", "sent"]


async def test_a_status_before_its_intent(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A callback that overtakes the disk is not lost, and told in its order."""
    disk = SlowDisk(monkeypatch, home)
    sending = asyncio.create_task(home.send("m"))
    await wait_for(lambda: home.accepted)
    delivered = receipt("P0", DeliveryStatus.DELIVERED, message_id="m")
    taking = asyncio.create_task(home.gateway.inbox.take(delivered))
    await asyncio.sleep(0.01)
    assert not taking.done()
    disk.gate.set()
    await asyncio.gather(sending, taking)
    await home.rest()
    assert home.states()[0] == "queued"
    assert home.states()[-1] == "delivered"


class NotedLines:
    """What the journal was told to note."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Follow all journals from now on."""
        self.lines: list[Line] = []
        self.times = 0
        note = Journal.note

        def spy(journal: Journal, lines: Iterable[Line]) -> None:
            note(journal, lines)
            self.lines += lines
            self.times += 1

        monkeypatch.setattr(Journal, "note", spy)

    def leave_to(self, path: Path) -> None:
        """Have it found beside a file, as a crash leaves it before the first write."""
        assert self.lines
        journal = Journal([path.with_suffix(".leaving")], path.with_suffix(".kept"))
        journal.open()
        journal.note(self.lines)
        journal.close()


async def test_what_leaves_together_is_noted_at_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time lets another thread have Python; what leaves later is noted anew."""
    noted = NotedLines(monkeypatch)
    await asyncio.gather(*(home.send(each) for each in "abc"))
    await home.send("d")
    assert [row[0] for row, _ in noted.lines] == ["a", "b", "c", "d"]
    assert noted.times == 2


@pytest.mark.parametrize("cut", ["power", "process", "at once"])
async def test_an_end_between_request_and_flush(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cut: str
) -> None:
    """Only a power cut forgets it, and it is never sent again, nor is it lost."""
    disk = SlowDisk(monkeypatch, home)
    copies = {each: home.path.with_name(home.path.name + each) for each in ("", "-wal")}
    at_once = {each: copy.read_bytes() for each, copy in copies.items()}
    noted = NotedLines(monkeypatch)
    sending = asyncio.create_task(home.send("m"))
    await wait_for(lambda: home.accepted and disk.writes)
    left = {each: copy.read_bytes() for each, copy in copies.items()}
    again = Home(tmp_path / "again.db")
    again.adapter = home.adapter
    kept = {"power": {"": left[""]}, "process": left, "at once": at_once}[cut]
    for suffix, content in kept.items():
        again.path.with_name(again.path.name + suffix).write_bytes(content)
    if cut != "power":
        noted.leave_to(again.path)
    await again.start()
    await again.live(4000)
    await again.gateway.close()
    disk.gate.set()
    await sending
    assert home.accepted == ["m"]
    assert again.states() == ([] if cut == "power" else ["queued", "sent"])
    for each in (home, again):
        for suffix in (".leaving", ".left"):
            path = each.path.with_suffix(suffix)
            assert not path.exists() or path.read_bytes() == b""


async def test_a_disk_that_cannot_be_flushed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message has left by then: it is not sent again, and the answer says so."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(database_file, "_sync", fail)
        [outcome] = await home.send("m")
        assert (outcome.status, outcome.is_remembered) == (DeliveryStatus.SENT, False)
    await home.live(4000)
    assert home.accepted == ["m"]
    assert home.on_disk() == ["m"]


@pytest.mark.parametrize("error", [REFUSED, DOWN])
async def test_a_flush_that_fails_and_a_message_that_did_not_leave(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: SmsError
) -> None:
    """Whoever sent it heard that it failed, so it is not sent again either."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    home.adapter.outcomes.append(error)
    with monkeypatch.context() as patch:
        patch.setattr(database_file, "_sync", fail)
        [outcome] = await home.send("m")
        assert (outcome.status, outcome.error) == (DeliveryStatus.FAILED, error)
        assert home.on_disk() == ["m"]
    await home.live(4000)
    assert (len(home.adapter.attempts), home.accepted) == (1, [])
    assert home.store.tally.pending == 0
    assert not home.gateway.outbox.has_work


async def test_fifty_at_once_stay_within_their_limits(home: Home) -> None:
    """However many calls come at a time, no more leaves than a limit has room for."""
    limits = Limits(hour=20, repeats=None)
    results = await asyncio.gather(
        *(home.send(f"m{number}", limits=limits) for number in range(50))
    )
    refused = [each for [each] in results if isinstance(each.error, LimitReachedError)]
    assert (len(home.accepted), len(refused)) == (20, 30)
    assert len(home.on_disk()) == 20


@pytest.fixture(params=["full", "read-only"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    """Return a disk that takes nothing, since it is full or read-only."""
    disk = FullDisk(monkeypatch)
    disk.is_full = request.param == "full"
    disk.is_read_only = not disk.is_full
    return disk


def mend(disk: FullDisk) -> None:
    """Have the disk take everything again."""
    disk.is_full = disk.is_read_only = False


async def test_a_disk_that_takes_nothing_keeps_nothing_back(
    home: Home, disk: FullDisk
) -> None:
    """It leaves once, who sends hears that, and it is written as soon as can be."""
    [outcome] = await home.send("m")
    assert (outcome.status, outcome.provider_id) == (DeliveryStatus.SENT, "P0")
    assert not outcome.is_remembered
    assert home.gateway.outbox.has_work
    assert home.states() == []
    mend(disk)
    await home.live(4000)
    assert home.states() == ["queued", "sent"]
    assert home.accepted == ["m"]
    assert not home.gateway.outbox.has_work
    assert home.store.tally.sent == 1


@pytest.mark.parametrize("error", [REFUSED, DOWN])
async def test_what_surely_did_not_leave_and_is_not_remembered(
    home: Home, disk: FullDisk, error: SmsError
) -> None:
    """It has failed, for nothing will try it again."""
    home.adapter.outcomes.append(error)
    [outcome] = await home.send("m")
    assert (outcome.status, outcome.error) == (DeliveryStatus.FAILED, error)
    mend(disk)
    await home.live(4000)
    assert (home.accepted, home.on_disk(), home.states()) == ([], [], [])
    assert not home.gateway.outbox.has_work


@pytest.mark.parametrize(("seconds", "end"), [(0, "sent"), (None, "failed")])
async def test_an_unknown_outcome_that_is_not_remembered(
    home: Home, disk: FullDisk, seconds: float | None, end: str
) -> None:
    """The provider is asked once that can be noted, and nothing is sent again."""
    home.adapter.outcomes.append(TIMEOUT if seconds is None else (TIMEOUT, seconds))
    [outcome] = await home.send("m")
    assert (outcome.status, outcome.error) == (DeliveryStatus.UNKNOWN, None)
    assert not outcome.is_remembered
    mend(disk)
    await home.live(4000)
    assert home.states() == ["queued", "unknown", end]
    assert len(home.adapter.attempts) == 1


async def test_a_disk_that_takes_nothing_opens_no_limit(
    home: Home, disk: FullDisk
) -> None:
    """What has left counts, whether it could be written down or not."""
    limits = Limits(hour=3)
    for number in range(3):
        [outcome] = await home.send(f"m{number}", limits=limits)
        assert outcome.error is None
    results = await asyncio.gather(
        *(home.send(f"n{number}", limits=limits) for number in range(5))
    )
    assert all(isinstance(each.error, LimitReachedError) for [each] in results)
    [month] = await home.send("o", limits=Limits(month=3))
    assert isinstance(month.error, LimitReachedError)
    assert month.error.limit is Limit.MONTH
    [repeat] = await home.send("p", limits=Limits(repeats=3))
    assert isinstance(repeat.error, LimitReachedError)
    home.clock.advance(3601)
    [later] = await home.send("q", limits=limits)
    assert later.error is None
    mend(disk)
    await home.live(100)
    assert len(home.on_disk()) == len(home.accepted) == 4
    [again] = await home.send("r", limits=Limits(month=4))
    assert isinstance(again.error, LimitReachedError)


async def test_who_wants_no_messages_gets_none_from_a_full_disk(
    home: Home, disk: FullDisk
) -> None:
    """That can still be read."""
    mend(disk)
    await home.store._database.run(
        lambda connection: note_consent(connection, "+33600000009", Source.STOP, START)
    )
    disk.is_full = True
    [outcome] = await home.send("m", recipient="+33600000009")
    assert outcome.status is DeliveryStatus.FAILED
    assert home.adapter.attempts == []


async def test_a_planned_message_that_is_written_leaves_no_second_time(
    home: Home, disk: FullDisk
) -> None:
    """Also where nothing can be written, what is known is not sent anew."""
    mend(disk)
    await home.send("m", plan=Plan.OF_THIS_RUN)
    disk.is_read_only = True
    with pytest.raises(sqlite3.IntegrityError):
        await home.send("m", plan=Plan.OF_THIS_RUN)
    assert home.accepted == ["m"]


async def test_a_planned_message_is_on_disk_before_it_leaves(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a crash would leave a record that could be taken for another alarm's."""
    disk = SlowDisk(monkeypatch, home)
    sending = asyncio.create_task(home.send("m", plan=Plan.OF_THIS_RUN))
    await wait_for(lambda: disk.writes)
    await asyncio.sleep(0.02)
    assert home.accepted == []
    disk.gate.set()
    [outcome] = await sending
    assert (outcome.provider_id, outcome.is_remembered) == ("P0", True)


@pytest.mark.parametrize(
    ("error", "leaves"),
    [
        (sqlite3.OperationalError("disk I/O error"), True),
        (OSError(errno.EIO, "input/output error"), True),
        (sqlite3.IntegrityError("UNIQUE constraint failed"), False),
    ],
)
async def test_what_keeps_a_planned_message_from_leaving(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: Exception, *, leaves: bool
) -> None:
    """Not a disk that fails, but a file that says it is known; nothing is counted then."""

    async def fail(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(home.store.outbound, "require_new", lambda _: asyncio.sleep(0))
        patch.setattr(home.store._database, "_run_blocking", fail)
        sending = home.send("m", plan=Plan.OF_THIS_RUN)
        if leaves:
            [outcome] = await sending
            assert not outcome.is_remembered
        else:
            with pytest.raises(type(error)):
                await sending
    assert home.accepted == (["m"] if leaves else [])
    await home.live(100)
    assert home.store.outbound.unwritten == {}


async def test_a_line_that_closes_while_what_is_planned_is_written(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not leave any more, and goes on in the next run."""
    disk = SlowDisk(monkeypatch, home)
    sending = asyncio.create_task(home.send("m", plan=Plan.OF_THIS_RUN))
    await wait_for(lambda: disk.writes)
    [task] = [each for each in asyncio.all_tasks() if each.get_name() == "send"]
    task.cancel()
    await asyncio.sleep(0.01)
    disk.gate.set()
    [outcome] = await sending
    assert (outcome.status, outcome.error) == (DeliveryStatus.QUEUED, None)
    assert home.adapter.attempts == []
    await home.gateway.close()
    await home.start()
    await home.live(100)
    assert home.accepted == ["m"]


async def test_a_planned_message_that_is_not_remembered_leaves_no_second_time(
    home: Home, disk: FullDisk
) -> None:
    """What has left is known until it is on disk, also to whoever looks it up."""
    [outcome] = await home.send("m", plan=Plan.OF_THIS_RUN)
    assert not outcome.is_remembered
    found = await home.store.outbound.find("m")
    assert found is not None
    assert found.status is DeliveryStatus.QUEUED
    with pytest.raises(sqlite3.IntegrityError):
        await home.send("m", plan=Plan.OF_THIS_RUN)
    mend(disk)
    await home.live(100)
    assert (home.accepted, home.on_disk()) == (["m"], ["m"])


async def test_a_planned_message_that_is_handed_over_twice_at_once(home: Home) -> None:
    """It leaves once, and one of the two hears that it was known."""
    results = await asyncio.gather(
        *(home.send("m", plan=Plan.OF_THIS_RUN) for _ in range(3)),
        return_exceptions=True,
    )
    raised = [each for each in results if isinstance(each, sqlite3.IntegrityError)]
    assert (len(raised), home.accepted) == (2, ["m"])


async def test_what_may_have_left_where_nothing_can_be_written(
    home: Home, disk: FullDisk
) -> None:
    """It is not sent, for nobody could look for it; a later try writes it down."""
    [outcome] = await home.send("m", plan=Plan.OF_EARLIER_RUN)
    assert (outcome.status, outcome.error) == (DeliveryStatus.UNKNOWN, None)
    assert not outcome.is_remembered
    assert await home.store.outbound.find("m") is None
    assert home.adapter.attempts == []
    mend(disk)
    await home.send("m", plan=Plan.OF_EARLIER_RUN)
    await home.live(4000)
    assert home.accepted == ["m"]


async def test_what_surely_did_not_leave_uses_nothing(
    home: Home, disk: FullDisk
) -> None:
    """What is refused and forgotten leaves room for another."""
    home.adapter.outcomes.append(REFUSED)
    limits = Limits(hour=1, month=1, repeats=1)
    await home.send("m", limits=limits)
    [outcome] = await home.send("n", limits=limits)
    assert outcome.error is None
    [outcome] = await home.send("o", limits=limits)
    assert isinstance(outcome.error, LimitReachedError)


async def test_what_may_have_left_is_looked_for(home: Home) -> None:
    """What an earlier run planned and left unknown is sent only if it did not leave."""
    for message_id, text in (("m", "one"), ("n", "two")):
        if message_id == "m":
            message = outbound("lost", text=text)
            home.adapter.accepted.append((START, "P0", message))
        [outcome] = await home.gateway.send(
            [outbound(message_id, text=text)], RETRY_WINDOW, plan=Plan.OF_EARLIER_RUN
        )
        assert outcome.status is DeliveryStatus.QUEUED
    assert home.adapter.attempts == []
    await home.live(4000)
    assert home.accepted == ["lost", "n"]
    assert home.states("m")[-1] == home.states("n")[-1] == "sent"


async def test_a_line_that_closes_while_its_disk_is_slow(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt is given up, and what is on disk is reconciled by the next run."""
    disk = SlowDisk(monkeypatch, home)
    answer = asyncio.Event()
    home.adapter.during["send"] = answer.wait
    tasks: list[asyncio.Task[object]] = []

    def spawn(target: Any, name: str) -> asyncio.Task[object]:
        tasks.append(asyncio.create_task(target, name=name))
        return tasks[-1]

    home.gateway._spawn = spawn
    sending = asyncio.create_task(home.send("m"))
    await wait_for(lambda: home.accepted)
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    assert not sending.done()
    disk.gate.set()
    [outcome] = await sending
    assert outcome.status is DeliveryStatus.QUEUED
    home.adapter.during.clear()
    await home.gateway.close()
    await home.start()
    await home.live(100)
    assert home.accepted == ["m"]
    assert home.states()[-1] == "sent"


async def test_a_home_that_ends_all_at_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sends hears of no failure once it is known what is on disk."""
    disk = SlowDisk(monkeypatch, home)
    home.adapter.during["send"] = asyncio.Event().wait
    mine = asyncio.current_task()
    sending = asyncio.create_task(home.send("m"))
    await wait_for(lambda: home.accepted)
    for task in asyncio.all_tasks() - {mine, sending, home.store._database._writer}:
        task.cancel()
    await asyncio.sleep(0.01)
    assert not sending.done()
    disk.gate.set()
    [outcome] = await sending
    assert (outcome.status, outcome.error) == (DeliveryStatus.QUEUED, None)


async def test_what_was_not_remembered_is_written_down_once(
    home: Home, disk: FullDisk
) -> None:
    """However much is to be said of it by then."""
    answer = asyncio.Event()
    home.adapter.during["send"] = answer.wait
    sending = asyncio.create_task(home.send("m"))
    await wait_for(lambda: home.gateway.outbox.has_work)
    mend(disk)
    records = home.store.outbound
    sent = SentMessage(provider_id="P0", status=DeliveryStatus.SENT)
    soon = records.clock.now() + timedelta(minutes=1)
    first, second = await asyncio.gather(
        records.note_unknown("m", soon, soon), records.accept("m", sent)
    )
    assert [each.status for each in first] == ["queued", "unknown"]
    assert [each.status for each in second] == ["sent"]
    answer.set()
    await sending
    await home.rest()
    assert home.on_disk() == ["m"]


ODD_LINES: list[Any] = [
    [["m"], None],
    [[], []],
    [[None] * 15, "2026-11"],
    [
        ["m", "+33612345678", "{}", "queued", *"12345", None, 1, "GSM-7", None, 0, "h"],
        1,
    ],
]


async def test_what_a_crash_left_makes_no_sense(tmp_path: Path) -> None:
    """Another version's lines, or damaged ones, keep the line from nothing."""
    home = Home(tmp_path / "store.db")
    journal = Journal(
        [home.path.with_suffix(".leaving")], home.path.with_suffix(".kept")
    )
    journal.open()
    journal.note(ODD_LINES)
    journal.close()
    await home.start()
    assert home.on_disk() == []
    await home.send("n")
    await home.gateway.close()
    assert home.accepted == ["n"]


async def test_a_disk_that_is_full_after_a_crash(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, disk: FullDisk
) -> None:
    """What the crash left stays where it is until it can be written down."""
    mend(disk)
    noted = NotedLines(monkeypatch)
    await home.send("m")
    again = Home(tmp_path / "again.db")
    again.adapter = home.adapter
    await again.start()
    await again.gateway.close()
    noted.leave_to(again.path)
    disk.is_full = True
    with pytest.raises(StorageError):
        await again.start()
    mend(disk)
    await again.start()
    await again.live(4000)
    await again.gateway.close()
    assert home.accepted == ["m"]
    assert again.states() == ["queued", "sent"]


async def test_a_crash_while_the_disk_is_full(
    home: Home, disk: FullDisk, tmp_path: Path
) -> None:
    """What left is known by the next run, and so are those that did not leave."""
    mend(disk)
    # On disk, and it is not known whether they left: the second did.
    home.adapter.outcomes.extend([TIMEOUT, (TIMEOUT, 0)])
    for number in range(2):
        await home.send(f"before{number}", text=f"before {number}")
    disk.is_full = True
    home.adapter.outcomes.extend([None, (TIMEOUT, 0), TIMEOUT, REFUSED, DOWN])
    for number in range(5):
        [outcome] = await home.send(f"m{number}", text=f"text {number}")
        assert not outcome.is_remembered
    mend(disk)
    again = await home.crash(tmp_path / "again")
    await again.live(100)
    assert sorted(home.accepted) == ["before0", "before1", "m0", "m1"]
    ends = [again.states(f"m{number}")[-1:] for number in range(5)]
    assert ends == [["sent"], ["sent"], ["failed"], [], []]
    assert again.states("before0")[-1] == again.states("before1")[-1] == "sent"
    assert again.store.tally.pending == 4
    assert again.store.tally.sent == 4
    kept = again.path.with_suffix(".kept")
    assert not kept.read_bytes().strip(b"\0")
    await again.gateway.close()


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
async def test_redacted_texts_and_a_crash_while_the_disk_is_full(
    home: Home, disk: FullDisk, tmp_path: Path, sent: int
) -> None:
    """Where nobody can tell whose a record is, all end before long, and none is sent."""
    home.adapter.redacts = True
    outcomes = [(TIMEOUT, 0) if number < sent else TIMEOUT for number in range(3)]
    home.adapter.outcomes.extend(outcomes)
    ids = ["m", "n", "o"]
    for each in ids:
        await home.send(each, text=each)
    mend(disk)
    again = await home.crash(tmp_path / "again")
    await again.live(720)
    ends = [again.states(each)[-1] for each in ids]
    assert set(ends) <= {"sent", "failed"}
    assert ends.count("sent") == again.store.tally.sent <= sent
    assert len(home.adapter.attempts) == 3
    await again.gateway.close()


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
async def test_equal_texts_and_a_crash_while_the_disk_is_full(
    home: Home, disk: FullDisk, tmp_path: Path, sent: int
) -> None:
    """Each record is one message's, whichever; the others are said to have failed."""
    outcomes = [(TIMEOUT, 0) if number < sent else TIMEOUT for number in range(3)]
    home.adapter.outcomes.extend(outcomes)
    ids = ["m", "n", "o"]
    await home.send(*ids)
    mend(disk)
    again = await home.crash(tmp_path / "again")
    await again.live(100)
    ends = sorted(again.states(each)[-1] for each in ids)
    assert ends == sorted(["sent"] * sent + ["failed"] * (3 - sent))
    assert len(home.accepted) == sent
    assert len(home.adapter.attempts) == 3
    claimed = [
        await again.store.outbound.is_claimed(f"P{number}") for number in range(sent)
    ]
    assert all(claimed)
    await again.gateway.close()


async def test_a_line_that_closes_while_its_disk_is_full(
    home: Home, disk: FullDisk
) -> None:
    """The next run knows what this one could not write; it counts within the limits."""
    await home.send("m")
    await home.gateway.close()
    mend(disk)
    await home.start()
    [outcome] = await home.send("n", limits=Limits(month=1))
    assert isinstance(outcome.error, LimitReachedError)
    await home.live(100)
    assert (home.accepted, home.on_disk()) == (["m"], ["m"])
    assert home.states() == ["queued", "sent"]


async def test_a_crash_of_what_could_be_written_at_last(
    home: Home, disk: FullDisk, tmp_path: Path
) -> None:
    """It is known once, also where a crash comes before what was kept is emptied."""
    await home.send("m")
    mend(disk)
    await home.live(1)
    again = await home.crash(tmp_path / "again")
    await again.live(100)
    assert again.on_disk() == ["m"]
    assert again.states() == []
    assert again.store.tally.sent == 1
    await again.gateway.close()


async def test_a_flush_that_fails_and_a_crash(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the disk may have lost since is kept as well."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(database_file, "_sync", fail)
        await home.send("m")
    home.path.with_name(home.path.name + "-wal").rename(tmp_path / "lost")
    again = await home.crash(tmp_path / "again")
    await again.live(100)
    assert again.states() == ["queued", "sent"]
    assert home.accepted == ["m"]
    await again.gateway.close()


async def test_one_of_those_that_are_written_together_fails(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The others are written, and it is kept."""
    write_all = outbound_table.write_all

    def write_but_one(connection: Any, intents: Any) -> Any:
        if any(row.message_id == "m" for each in intents for row, _ in each.lines):
            raise sqlite3.OperationalError("disk I/O error")
        return write_all(connection, intents)

    answer = asyncio.Event()
    home.adapter.during["send"] = answer.wait
    with monkeypatch.context() as patch:
        patch.setattr(outbound_table, "write_all", write_but_one)
        sending = [asyncio.create_task(home.send(each, text=each)) for each in "mn"]
        await wait_for(lambda: home.on_disk() == ["n"])
    again = await home.crash(tmp_path / "again")
    answer.set()
    await asyncio.gather(*sending)
    await again.live(100)
    assert again.states("m") == ["queued", "sent"]
    assert sorted(home.accepted) == ["m", "n"]
    await again.gateway.close()
