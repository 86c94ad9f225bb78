"""The provider's record is read to its end, whatever clocks say and records hold."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from custom_components.virtual_sms.adapters.errors import (
    AuthenticationError,
    InvalidResponseError,
    ProviderUnavailableError,
    SmsError,
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import (
    InboundMessage,
    Media,
    SetAsideReason,
)
from custom_components.virtual_sms.core import record_reader
from custom_components.virtual_sms.core.inbox import Inbox
from custom_components.virtual_sms.core.record_reading import OVERLAP
from custom_components.virtual_sms.core.second_reading import AT_ONCE, WAIT_FOR_REST
from custom_components.virtual_sms.store.changes import Change, Received
from custom_components.virtual_sms.store.inbound import Bounds
from custom_components.virtual_sms.store.store import RETENTION, Store
from tests.fakes import START, Clock, FakeAdapter, inbound, open_store

from .test_inbox import make_inbox, names

DAY = 86_400.0


class Life:
    """An inbox at home, whose clock is its own, and a provider with another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.home = Clock()
        self.provider = Clock()
        self.adapter = FakeAdapter(self.home)
        self.adapter.time = self.provider
        self.heard: list[Change] = []
        self.later: list[None] = []

    store: Store
    inbox: Inbox

    async def start(self) -> None:
        """Start Home Assistant."""
        self.adapter.date_error = None
        self.store = await open_store(self.path, self.home)
        self.inbox = make_inbox(
            self.adapter, self.store, self.heard, self.home, self.later
        )

    async def restart(self) -> None:
        """Start Home Assistant again."""
        await self.store.close()
        await self.start()

    def advance(self, seconds: float) -> None:
        """Let time go by for everybody."""
        self.home.advance(seconds)
        self.provider.advance(seconds)

    def arrive(self, name: str, *, ago: float = 0) -> InboundMessage:
        """Have a message arrive at the provider."""
        at = (self.provider() - START).total_seconds() - ago
        message = inbound(name, at=at)
        self.adapter.record.append(message)
        return message

    async def poll(self) -> int:
        """Ask for news, and return how many questions that took."""
        self.adapter.questions.clear()
        await self.inbox.catch_up_inbound(late=False)
        await self.store.examine()
        return len(self.adapter.questions)

    async def pass_by(self) -> None:
        """Let the listing get past what there is by now."""
        self.advance(3600)
        await self.poll()
        self.advance(3600)

    async def ring(self, message: InboundMessage) -> None:
        """Hear of a message by a callback that proves nothing."""
        await self.inbox.look_up(message)
        await self.store.examine()

    async def set_aside(self) -> list[str]:
        """List what cannot be read."""
        rows = await self.store.inbound.list_set_aside()
        return [row.record_id for row in rows]

    @property
    def names(self) -> list[str]:
        """Name what was heard."""
        return names(self.heard)


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    """Set up a number."""
    life = Life(tmp_path / "store.db")
    await life.start()
    yield life
    await life.store.close()
    for task in asyncio.all_tasks():
        if task.get_name() == "incomplete messages":
            task.cancel()


# Clocks

HOURS = [2, -2, 24 * 400, -24 * 400]


@pytest.mark.parametrize("hours", HOURS)
@pytest.mark.parametrize("is_right_again", [True, False])
async def test_a_wrong_clock_at_the_set_up_hides_nothing(
    life: Life, hours: float, is_right_again: bool
) -> None:
    """Neither what is polled, nor what a bell tells of, nor does history come up."""
    life.home.advance(hours * 3600)
    life.arrive("history", ago=DAY)
    life.arrive("just before", ago=60)
    await life.inbox.begin()
    if is_right_again:
        life.home.time = life.provider.time
    life.advance(60)
    await life.ring(life.arrive("rung"))
    life.arrive("polled")
    await life.poll()
    await life.ring(life.adapter.record[0])
    assert life.names == ["rung", "polled"]


@pytest.mark.parametrize("hours", HOURS)
async def test_a_clock_that_jumps_moves_nothing(life: Life, hours: float) -> None:
    """How far the record is known, only the provider's time says."""
    await life.inbox.begin()
    life.home.advance(hours * 3600)
    for number in range(5):
        life.advance(3600)
        life.arrive(f"m{number}", ago=60)
        await life.restart()
        assert await life.poll() == 1
        await life.poll()
        assert await life.store.inbound.progress() == life.provider.time
    assert life.names == [f"m{number}" for number in range(5)]


async def test_a_quiet_poll_costs_the_same_for_ever(life: Life) -> None:
    """Callbacks bring all there is: what they brought is not read again and again."""
    life.adapter.page_size = 10
    await life.inbox.begin()
    costs = set()
    for day in range(6):
        for number in range(100):
            life.advance(DAY / 100)
            await life.inbox.take(life.arrive(f"{day}/{number}"))
        life.advance(OVERLAP.total_seconds() + 60)
        await life.poll()
        costs.add(await life.poll())
    assert costs == {1}
    assert len(life.heard) == 600


async def test_a_quiet_poll_writes_now_and_then_only(life: Life) -> None:
    """A disk that wears out is not written twice a minute for nothing."""
    await life.inbox.begin()
    changes = 0
    for _ in range(40):
        before = await life.store.inbound.progress()
        life.advance(30)
        await life.poll()
        changes += before != await life.store.inbound.progress()
    assert changes <= 4


@pytest.mark.parametrize("minutes", [10, 120])
async def test_bounds_beyond_the_present_are_taken_back(
    life: Life, minutes: int
) -> None:
    """As an earlier version left them, that believed the clock of the home."""
    beyond = START + timedelta(minutes=minutes)
    await life.store.inbound.begin([], beyond)
    await life.ring(life.arrive("rung"))
    life.advance(60)
    life.arrive("polled", ago=30)
    life.arrive("long ago", ago=DAY)
    await life.poll()
    assert life.names == ["rung", "polled"]
    life.advance(DAY)
    await life.poll()
    horizon, progress = START - OVERLAP + timedelta(minutes=1), life.provider.time
    bounds = Bounds(horizon=horizon, progress=progress)
    assert await life.store.inbound.bounds() == bounds


@pytest.mark.parametrize("days", [300, -300])
@pytest.mark.parametrize("kind", ["before", "after"])
async def test_a_single_wrong_date_changes_nothing(
    life: Life, days: int, kind: str
) -> None:
    """It hides nothing for ever, and brings no history up."""
    life.advance(400 * DAY)
    life.arrive("history", ago=200 * DAY)
    await life.inbox.begin()
    wrong, right = timedelta(days=days), timedelta()
    life.advance(DAY)
    life.arrive("first", ago=60)
    if kind == "before":
        await life.restart()
    life.adapter.date_errors.extend([wrong, right] if kind == "before" else [wrong])
    await life.poll()
    await life.store.prune()
    life.adapter.date_errors.append(wrong)
    life.advance(DAY)
    await life.ring(life.arrive("second", ago=60))
    life.advance(DAY)
    life.arrive("third", ago=60)
    await life.poll()
    await life.ring(life.adapter.record[0])
    assert life.names == ["first", "second", "third"]


async def test_dates_that_were_wrong_for_long_are_made_up_for(life: Life) -> None:
    """What came meanwhile is found once they are right again, and only that."""
    await life.inbox.begin()
    life.adapter.date_errors.extend([timedelta(days=3)] * 4)
    life.advance(3600)
    life.arrive("known", ago=60)
    await life.poll()
    await life.poll()
    life.adapter.date_errors.clear()
    life.advance(DAY)
    life.arrive("missed", ago=DAY / 2)
    await life.restart()
    await life.poll()
    await life.poll()
    assert life.names == ["known", "missed"]
    assert await life.store.inbound.progress() == life.provider.time
    assert await life.poll() == 1


async def test_a_provider_that_tells_no_time_is_read_all_the_same(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows how far, so the next reading begins where this one did."""
    await life.inbox.begin()
    life.advance(3600)
    life.arrive("a")
    monkeypatch.setattr(FakeAdapter, "provider_time", None)
    await life.poll()
    await life.poll()
    assert life.names == ["a"]
    assert await life.store.inbound.progress() == START - OVERLAP


# Records that cannot be taken


async def test_one_record_stops_no_other(life: Life) -> None:
    """It is named, and published when it can be read, however late."""
    await life.inbox.begin()
    life.advance(60)
    for name in "abc":
        life.arrive(name)
    life.adapter.unreadable = {"b"}
    await life.poll()
    assert life.names == ["a", "c"]
    assert await life.set_aside() == ["b"]
    life.advance(DAY)
    life.arrive("d")
    await life.poll()
    assert life.names == ["a", "c", "d"]
    life.adapter.unreadable.clear()
    life.advance(DAY)
    await life.restart()
    await life.poll()
    assert life.names == ["a", "c", "d", "b"]
    assert isinstance(life.heard[-1], Received)
    assert life.heard[-1].late
    assert await life.set_aside() == []
    await life.poll()
    assert len(life.heard) == 4


async def test_history_that_cannot_be_read_is_history(life: Life) -> None:
    """What was there at the set-up is not published when it can be read one day."""
    life.arrive("old", ago=60)
    life.adapter.unreadable = {"old"}
    await life.inbox.begin()
    await life.poll()
    assert await life.set_aside() == []
    life.adapter.unreadable.clear()
    await life.poll()
    assert life.names == []


async def test_a_record_is_read_again_with_growing_pauses(life: Life) -> None:
    """Soon at first, and still after days; but not with every poll for ever."""
    await life.inbox.begin()
    life.advance(60)
    life.arrive("a")
    life.adapter.unreadable = {"a"}
    await life.poll()
    counts = []
    for _ in range(5):
        count = 0
        for _ in range(int(DAY / 600)):
            life.advance(600)
            await life.poll()
            count += "fetch_inbound_message" in life.adapter.questions
        counts.append(count)
    assert counts[0] > 5
    assert all(1 <= count <= 6 for count in counts[1:])


async def test_a_message_that_is_gone_is_waited_for_no_more(
    life: Life, caplog: pytest.LogCaptureFixture
) -> None:
    """That is said once, for it was never published."""
    await life.inbox.begin()
    life.advance(60)
    life.arrive("a")
    life.adapter.unreadable = {"a"}
    await life.poll()
    life.adapter.record.clear()
    life.advance(3600)
    for _ in range(3):
        await life.poll()
    assert await life.set_aside() == []
    assert caplog.text.count("gone") == 1


@pytest.mark.parametrize(
    "error",
    [
        InvalidResponseError(),
        UnsupportedFeatureError(),
        AuthenticationError(),
        ProviderUnavailableError(),
    ],
    ids=lambda error: error.code,
)
async def test_trouble_with_one_record_is_not_the_line_s(
    life: Life, error: SmsError
) -> None:
    """The listing was answered: nothing else is wrong, and the record waits."""
    await life.inbox.begin()
    life.advance(60)
    life.arrive("a")
    life.adapter.unreadable = {"a"}
    await life.poll()
    life.adapter.trouble["fetch_inbound_message"] = error
    await life.pass_by()
    await life.poll()
    assert "fetch_inbound_message" in life.adapter.questions
    assert await life.set_aside() == ["a"]


async def test_many_records_are_read_again_by_turns(life: Life) -> None:
    """A few with each poll, so that none of them has to wait for ever."""
    await life.inbox.begin()
    life.advance(60)
    ids = {life.arrive(f"m{number}").message_id for number in range(3 * AT_ONCE)}
    life.adapter.unreadable = ids
    await life.poll()
    await life.pass_by()
    for _ in range(3):
        await life.poll()
        assert life.adapter.questions.count("fetch_inbound_message") == AT_ONCE
    await life.poll()
    assert "fetch_inbound_message" not in life.adapter.questions


async def test_what_turns_out_to_be_history_is_not_published(life: Life) -> None:
    """Its time could not be read either, until it could."""
    await life.inbox.begin()
    life.arrive("a")
    life.adapter.unreadable = {"a"}
    await life.poll()
    await life.pass_by()
    life.adapter.unreadable.clear()
    life.adapter.record[0] = inbound("a", at=-DAY)
    await life.poll()
    assert life.names == []
    assert await life.set_aside() == []


# Messages that are still being received


async def test_a_message_is_published_when_it_is_complete(life: Life) -> None:
    """And not before, however far the rest of the record has moved on."""
    await life.inbox.begin()
    life.advance(60)
    life.arrive("a")
    life.adapter.incomplete = {"a"}
    life.arrive("b")
    await life.poll()
    assert life.names == ["b"]
    # Nothing is wrong with it.
    assert await life.set_aside() == []
    life.advance(300)
    await life.poll()
    life.adapter.incomplete.clear()
    await life.poll()
    await life.poll()
    assert life.names == ["b", "a"]


async def test_the_record_is_read_again_from_an_incomplete_message(life: Life) -> None:
    """Also when Home Assistant was away for longer than any overlap."""
    await life.inbox.begin()
    life.advance(3600)
    message = life.arrive("a")
    life.adapter.incomplete = {"a"}
    life.advance(60)
    await life.poll()
    assert await life.store.inbound.progress() == message.received_at
    life.advance(DAY)
    life.adapter.incomplete.clear()
    await life.restart()
    await life.poll()
    assert life.names == ["a"]


async def test_a_callback_may_bring_what_is_incomplete_in_the_record(
    life: Life,
) -> None:
    """Then it is published once, as it was called."""
    await life.inbox.begin()
    life.advance(60)
    message = life.arrive("a")
    life.adapter.incomplete = {"a"}
    await life.poll()
    await life.inbox.take_signed(message)
    life.advance(WAIT_FOR_REST.total_seconds())
    await life.poll()
    life.adapter.incomplete.clear()
    await life.poll()
    assert life.names == ["a"]
    assert await life.store.inbound.list_waiting() == []


@pytest.mark.parametrize("is_listed", [True, False])
async def test_what_never_becomes_complete_is_taken_as_it_is(
    life: Life, is_listed: bool
) -> None:
    """After ten minutes; what there is nothing of is set aside as unreadable."""
    await life.inbox.begin()
    life.advance(60)
    at = (life.provider() - START).total_seconds()
    picture = Media(url="https://acme/picture")
    life.adapter.record = [
        replace(inbound("some", at=at), media=(picture,)),
        inbound("nothing", at=at),
    ]
    life.adapter.incomplete = {"some", "nothing"}
    await life.poll()
    if not is_listed:
        await life.store.inbound.advance(START + timedelta(days=1))
    life.advance((WAIT_FOR_REST if is_listed else RETENTION / 2).total_seconds())
    await life.poll()
    await life.poll()
    assert life.names == ["some"]
    rows = await life.store.inbound.list_set_aside()
    assert [(row.record_id, row.reason) for row in rows] == [
        ("nothing", SetAsideReason.UNREADABLE)
    ]


async def test_an_incomplete_message_at_the_set_up_is_none_of_the_history(
    life: Life,
) -> None:
    """It arrives just now."""
    life.arrive("a")
    life.adapter.incomplete = {"a"}
    await life.inbox.begin()
    life.adapter.incomplete.clear()
    await life.poll()
    assert life.names == ["a"]


async def test_an_incomplete_message_is_looked_at_again_soon(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, however many there are, and not only with the next poll."""
    monkeypatch.setattr(record_reader, "LOOK_AGAIN", 0.05)
    await life.inbox.begin()
    life.advance(60)
    life.arrive("a")
    life.arrive("b")
    life.adapter.incomplete = {"a", "b"}
    await life.poll()
    await life.poll()
    await asyncio.sleep(0.1)
    assert life.later == [None]
    await life.poll()
    await asyncio.sleep(0.1)
    assert life.later == [None, None]
