"""Whatever happens, in whatever order: nothing is lost, nothing happens twice.

A made-up life of a home: messages arrive, are sent, called back about, polled and
repeated, several at once, while the disk is full for a while and Home Assistant is
killed at any instant, also between a request and the flush of what it says. A kill
takes the files as they are at that instant; nothing the old run does afterwards
counts. At the end the provider's record is compared with what the home heard.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
import shutil
import sqlite3
from tempfile import TemporaryDirectory
from typing import Any, override

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.virtual_sms.adapters.errors import (
    MessageRejectedError,
    ProviderUnavailableError,
    RateLimitedError,
    SendOutcomeUnknownError,
)
from custom_components.virtual_sms.adapters.models import (
    CallbackRequest,
    DeliveryStatus,
    Event,
)
from custom_components.virtual_sms.core.gateway import Gateway
from custom_components.virtual_sms.store import (
    database_file as database_module,
    transaction,
)
from custom_components.virtual_sms.store.changes import (
    Change,
    Received,
    StatusChanged,
)
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.database_file import (
    _PRAGMAS,
    FULL_FLUSH,
    DatabaseFile,
)
from custom_components.virtual_sms.store.schema import MIGRATIONS
from custom_components.virtual_sms.store.store import Store, Tally
from tests.fakes import (
    Clock,
    FakeAdapter,
    come_to_rest,
    inbound,
    make_account,
    make_dependencies,
    make_hooks,
    outbound,
    receipt,
)

# Hypothesis takes its own generator for one that nobody keeps, on Python 3.14.
pytestmark = pytest.mark.filterwarnings("ignore:It looks like `register_random`")

SECRET = "SECRET CODE "
RETRY_WINDOW = timedelta(minutes=30)
OUTCOMES: dict[str, Any] = {
    "accepted": None,
    "refused": MessageRejectedError(),
    "down": ProviderUnavailableError(maybe_processed=False),
    "limited": RateLimitedError(retry_after=30),
    "lost": SendOutcomeUnknownError(),
    "lost, accepted": (SendOutcomeUnknownError(), 0),
    "lost, accepted later": (SendOutcomeUnknownError(), 19),
    "answered": SendOutcomeUnknownError(answered=True),
    "answered, accepted": (SendOutcomeUnknownError(answered=True), 0),
}

type Action = tuple[Any, ...]

_INDEX = st.integers(0, 5)
_ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.tuples(st.just("arrive"), st.booleans()),
    st.tuples(st.just("call"), _INDEX),
    st.tuples(st.just("poll")),
    st.tuples(st.just("send"), st.integers(0, 1), st.sampled_from(sorted(OUTCOMES))),
    st.tuples(
        st.just("receipt"), _INDEX, st.sampled_from(DeliveryStatus), st.booleans()
    ),
    st.tuples(st.just("work")),
    st.tuples(st.just("wait"), st.sampled_from([1, 3, 25, 1000])),
    st.tuples(st.just("kill"), st.integers(1, 25)),
    st.tuples(st.just("fill"), st.booleans()),
    st.tuples(st.just("restart")),
)
_STORIES = st.lists(st.lists(_ACTIONS, min_size=1, max_size=4), min_size=1, max_size=14)
_SENDING: st.SearchStrategy[Action] = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 1), st.sampled_from(sorted(OUTCOMES))),
    st.tuples(st.just("work")),
    st.tuples(st.just("wait"), st.sampled_from([1, 3, 25, 1000])),
    st.tuples(st.just("step"), st.sampled_from([-86_400, -600, 600, 7200, 86_400])),
    st.tuples(st.just("fill"), st.booleans()),
    st.tuples(st.just("kill"), st.integers(1, 25)),
    st.tuples(st.just("restart")),
)
_WRONG_CLOCKS = st.lists(
    st.lists(_SENDING, min_size=1, max_size=4), min_size=1, max_size=14
)


class Provider(FakeAdapter):
    """A provider during whose calls Home Assistant may be killed."""

    tick: Callable[[], Coroutine[Any, Any, None]]

    @override
    async def _ask(self, question: str) -> None:
        await super()._ask(question)
        await self.tick()


class World:
    """A provider that lasts, and one run of Home Assistant after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.provider = Provider(self.clock)
        self.provider.page_size = 2
        self.provider.tick = self.tick
        self.heard: list[Change | None] = []
        self.repeats: Counter[str] = Counter()
        self.asked: dict[str, str] = {}
        self.promised: set[str] = set()
        """Those of which somebody was told that they are remembered."""
        self.is_full = False
        self.run = 0
        self.killed = asyncio.Event()
        self.left = 0

    @property
    def path(self) -> Path:
        """Return this run's file."""
        return self.folder / f"{self.run}.db"

    # Home Assistant

    async def start(self) -> None:
        """Start on what the last run left."""
        self.killed.clear()
        self.left = 0
        self.is_full = False
        self.troubles = 0
        database = Database(self.path, MIGRATIONS, self.run_blocking)
        dependencies = make_dependencies(self.clock)
        self.gateway = Gateway(
            self.provider.line(),
            Store(database, self.clock, self.clock.monotonic),
            make_hooks(self.publish),
            dependencies,
        )
        self.account = make_account(self.gateway, dependencies)
        await self.gateway.open()
        await self.gateway.inbox.begin()
        self.gateway.start()

    async def run_blocking(self, target: Callable[..., Any], /, *args: Any) -> Any:
        """Be killed before or after touching the disk."""
        await self.tick()
        result = target(*args)
        await self.tick()
        return result

    def pass_write(self) -> None:
        """Have the disk be full, or be killed, when all is about to reach it."""
        if self.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        self.count_down()

    def publish(self, change: Change) -> None:
        """Be heard, and perhaps killed for it."""
        if not self.killed.is_set():
            self.heard.append(change)
            self.count_down()

    async def tick(self) -> None:
        """Pass an instant at which a kill may come; nobody lives on after it."""
        await asyncio.sleep(0)
        self.count_down()
        if self.killed.is_set():
            await asyncio.get_running_loop().create_future()

    def count_down(self) -> None:
        """Come nearer to the kill that was ordered, if any."""
        if self.left and not self.killed.is_set():
            self.left -= 1
            if not self.left:
                self.kill()

    def kill(self) -> None:
        """Keep the files as they are, and note what was heard but not noted."""
        old = self.path
        self.run += 1
        for suffix in ("", "-wal", "-shm"):
            file = old.with_name(old.name + suffix)
            if file.exists():
                shutil.copy(file, self.path.with_name(self.path.name + suffix))
        self.killed.set()
        connection = sqlite3.connect(self.path)
        unpublished = {
            message_id
            for (message_id,) in connection.execute(
                "SELECT message_id FROM inbound WHERE content IS NOT NULL"
            )
        }
        connection.close()
        for change in self.this_run():
            if isinstance(change, Received):
                self.repeats[change.message.message_id] += (
                    change.message.message_id in unpublished
                )
        self.heard.append(None)

    def this_run(self) -> list[Change | None]:
        """List what was heard since the last kill."""
        kills = [at for at, each in enumerate(self.heard) if each is None]
        return self.heard[kills[-1] + 1 if kills else 0 :]

    async def live(self, deed: Coroutine[Any, Any, Any]) -> None:
        """Do something, and start again if Home Assistant is killed meanwhile."""
        task = asyncio.create_task(deed)
        death = asyncio.create_task(self.killed.wait())
        await asyncio.wait([task, death], return_when=asyncio.FIRST_COMPLETED)
        if not self.killed.is_set():
            death.cancel()
            await task
            return
        database = self.gateway.store._database
        connection = database._connection
        if database._timer:
            database._timer.cancel()
        # What carries a write to its end goes on after a first cancellation.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for other in others:
                other.cancel()
            await asyncio.wait(others, timeout=0.01)
        if connection:
            connection.close()
        await self.start()

    # What happens

    async def do(self, actions: list[Action]) -> None:
        """Do several things at once."""
        await asyncio.gather(
            *(getattr(self, f"do_{name}")(*details) for name, *details in actions)
        )

    async def do_arrive(self, calls_back: bool) -> None:
        """Somebody writes to us."""
        name = f"in{len(self.provider.record)}"
        seconds = self.clock.monotonic()
        message = inbound(name, at=seconds, text=SECRET + name)
        self.provider.record.append(message)
        if calls_back:
            await self.call(message)

    async def do_call(self, index: int) -> None:
        """The provider repeats itself."""
        if self.provider.record:
            await self.call(self.provider.record[index % len(self.provider.record)])

    async def do_receipt(
        self, index: int, status: DeliveryStatus, knows_our_id: bool
    ) -> None:
        """The provider says something about a message it has."""
        if self.provider.accepted:
            accepted = self.provider.accepted[index % len(self.provider.accepted)]
            _, provider_id, message = accepted
            our_id = message.message_id if knows_our_id else None
            self.provider.receipts[provider_id] = receipt(provider_id, status)
            await self.call(receipt(provider_id, status, message_id=our_id))

    async def call(self, event: Event) -> None:
        """Call the home."""
        body = repr(event).encode() + repr(id(event)).encode()
        self.provider.callbacks[body] = event
        request = CallbackRequest(method="POST", url="https://home", body=body)
        with self.disk_trouble():
            await self.account.receive(self.gateway, request)

    @contextmanager
    def disk_trouble(self) -> Iterator[None]:
        """Put up with a full disk: what failed of it is done again later."""
        try:
            yield
        except sqlite3.OperationalError:
            self.troubles += 1

    async def do_poll(self) -> None:
        """Ask for news."""
        with self.disk_trouble():
            await self.gateway.inbox.catch_up(late=True)

    async def do_send(self, text: int, outcome: str) -> None:
        """Send one of two texts, so that duplicates are common."""
        self.provider.outcomes.append(OUTCOMES[outcome])
        message_id = f"out{len(self.asked)}"
        self.asked[message_id] = f"{SECRET}{text}"
        created_at = self.gateway.store.outbound.clock.now()
        message = outbound(
            message_id, text=self.asked[message_id], created_at=created_at
        )
        [outcome] = await self.gateway.send([message], RETRY_WINDOW)
        if outcome.is_remembered and not self.killed.is_set():
            self.promised.add(message_id)

    async def do_work(self) -> None:
        """Do what is due."""
        with self.disk_trouble():
            await self.gateway.outbox.work()

    async def do_fill(self, full: bool) -> None:
        """Leave no room on the disk, or make some."""
        self.is_full = full

    async def do_wait(self, seconds: float) -> None:
        """Let time go by."""
        self.clock.advance(seconds)

    async def do_step(self, seconds: float) -> None:
        """Put the home's clock forward or back."""
        self.clock.step(seconds)

    async def do_kill(self, instants: int) -> None:
        """Order a kill."""
        self.left = self.left or instants

    async def do_restart(self) -> None:
        """Restart in good order, when nothing else is under way."""

    async def calm_down(self) -> None:
        """Let all that was begun come to its end."""
        self.left = 0
        self.is_full = False
        self.provider.outcomes.clear()
        await self.gateway.inbox.catch_up(late=True)
        for _ in range(1000):
            pause = await self.gateway.outbox.work()
            if pause is None:
                break
            self.clock.advance(pause.total_seconds())
        await come_to_rest(self.gateway.store, self.gateway._publisher)


async def play(
    story: list[list[Action]], folder: Path, patch: pytest.MonkeyPatch
) -> World:
    """Live through a story and come to rest."""
    world = World(folder)
    write = transaction._write

    def pass_and_write(connection: sqlite3.Connection) -> None:
        world.pass_write()
        write(connection)

    patch.setattr(transaction, "_write", pass_and_write)
    # A kill may come there as well; no power is cut, so there is nothing to flush.
    patch.setattr(DatabaseFile, "sync", lambda _: world.count_down())
    await world.start()
    for actions in story:
        if ("restart",) in actions:
            world.left = 0
            world.is_full = False
            await world.gateway.outbox.work()
            await world.gateway.close()
            await world.start()
        await world.live(world.do(actions))
    await world.calm_down()
    return world


def read(path: Path) -> list[sqlite3.Row]:
    """List what the store says of outbound messages."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    rows = connection.execute("SELECT * FROM outbound").fetchall()
    connection.close()
    return rows


def check_inbound(world: World) -> None:
    """Find each message published once, but for those a kill cut short."""
    published = Counter(
        each.message.message_id for each in world.heard if isinstance(each, Received)
    )
    arrived = {message.message_id for message in world.provider.record}
    assert published == {name: 1 + world.repeats[name] for name in arrived}


def check_outbound(world: World, rows: list[sqlite3.Row]) -> None:
    """Find each message accepted once or told to have failed, and nothing else.

    What nobody remembers may have been accepted once, and then nobody was told so.
    """
    known = {row["message_id"] for row in rows}
    forgotten = {
        message.message_id for _, _, message in world.provider.accepted
    } - known
    assert world.promised <= known
    asked = Counter(world.asked.values())
    accepted = Counter(message.text for _, _, message in world.provider.accepted)
    claimed = {row["provider_id"] for row in rows if row["provider_id"]}
    taken = {provider_id for _, provider_id, _ in world.provider.accepted}
    assert claimed <= taken
    assert len(taken - claimed) <= len(forgotten)
    assert all(accepted[text] <= asked[text] for text in accepted)
    for row in rows:
        assert row["provider_id"] or row["status"] == "failed", dict(row)


def check_statuses(world: World, rows: list[sqlite3.Row]) -> None:
    """Find statuses that only move forward, each after the one before."""
    stories: dict[str, list[StatusChanged | None]] = defaultdict(lambda: [None])
    for each in world.heard:
        if each is None:
            for story in stories.values():
                story.append(None)
        elif isinstance(each, StatusChanged):
            stories[each.message_id].append(each)
    assert set(stories) == {row["message_id"] for row in rows}
    for row in rows:
        story = stories[row["message_id"]]
        changes = [each for each in story if each]
        assert changes[0].previous is None
        assert changes[-1].status == row["status"]
        said: list[DeliveryStatus | None] = [None]
        for before, change in pairwise(story):
            if change is None:
                continue
            if before is not None:
                # Without a kill in between, nothing is repeated.
                assert change.previous == before.status
                assert change.status.rank > before.status.rank
            assert change.previous in said
            last = said[-1]
            assert last is None or change.status == last or (
                change.status.rank > last.rank and not last.is_final
            )  # fmt: skip
            said.append(change.status)


def check_counters(world: World, rows: list[sqlite3.Row]) -> None:
    """Find counters that agree with both books."""
    assert replace(world.gateway.store.tally, segments=0) == Tally(
        received=len(world.provider.record),
        sent=sum(row["provider_id"] is not None for row in rows),
        failed=sum(row["status"] in {"failed", "undelivered"} for row in rows),
        pending=sum(row["open"] for row in rows),
    )


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(story=_STORIES)
def test_nothing_lost_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, story: list[list[Action]]
) -> None:
    """Every story ends with both books in agreement, and no text left on disk."""

    async def tell(patch: pytest.MonkeyPatch) -> None:
        with TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
            world = await play(story, Path(folder), patch)
            rows = read(world.path)
            check_inbound(world)
            check_outbound(world, rows)
            check_statuses(world, rows)
            check_counters(world, rows)
            await world.gateway.close()
            assert SECRET.encode() not in world.path.read_bytes()

    _run(tell)


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(story=_WRONG_CLOCKS)
def test_a_clock_that_jumps_sends_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, story: list[list[Action]]
) -> None:
    """Nor does it make a message expire, or leave one that is never looked at."""

    async def tell(patch: pytest.MonkeyPatch) -> None:
        with TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
            world = await play(story, Path(folder), patch)
            rows = read(world.path)
            check_outbound(world, rows)
            check_statuses(world, rows)
            left = [row for row in rows if row["open"] and not row["provider_id"]]
            assert left == []
            # `calm_down` waits for less than a day: nothing was put off for longer.
            assert world.clock.monotonic() < 86_400
            await world.gateway.close()

    _run(tell)


def _run(tell: Callable[[pytest.MonkeyPatch], Coroutine[Any, Any, None]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        unflushed = FULL_FLUSH.replace("=FULL", "=OFF")
        pragmas = [unflushed if each == FULL_FLUSH else each for each in _PRAGMAS]
        patch.setattr(database_module, "_PRAGMAS", pragmas)
        patch.setattr(database_module, "_OWN_FLUSH", unflushed)
        asyncio.run(tell(patch))
