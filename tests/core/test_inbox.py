"""Each inbound message is taken once, whichever way it comes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from custom_components.virtual_sms.adapters.errors import (
    InvalidResponseError,
    NotFoundError,
    ProviderUnavailableError,
)
from custom_components.virtual_sms.adapters.models import (
    Capability,
    DeliveryStatus,
    SentMessage,
)
from custom_components.virtual_sms.core.inbox import Inbox
from custom_components.virtual_sms.core.record_reading import OVERLAP
from custom_components.virtual_sms.store.changes import (
    Change,
    Received,
    StatusChanged,
)
from custom_components.virtual_sms.store.store import Store
from tests.fakes import (
    START,
    Clock,
    FakeAdapter,
    inbound,
    make_dependencies,
    open_store,
    outbound,
    receipt,
)

DOWN = ProviderUnavailableError("down")
BEGIN = START - OVERLAP


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


@pytest.fixture
def adapter(clock: Clock) -> FakeAdapter:
    """Make a provider."""
    return FakeAdapter(clock)


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    """Open an empty store."""
    store = await open_store(tmp_path / "store.db", clock)
    yield store
    await store.close()


@pytest.fixture
def heard() -> list[Change]:
    """Listen."""
    return []


@pytest.fixture
def inbox(
    adapter: FakeAdapter, store: Store, heard: list[Change], clock: Clock
) -> Inbox:
    """Make an inbox that has not begun."""
    return make_inbox(adapter, store, heard, clock)


def make_inbox(
    adapter: FakeAdapter,
    store: Store,
    heard: list[Change],
    clock: Clock,
    later: list[None] | None = None,
) -> Inbox:
    """Make an inbox that hears of news, and notes in `later` that it wants more."""
    notes = [] if later is None else later
    dependencies = replace(
        make_dependencies(clock), monotonic=lambda: adapter.time().timestamp()
    )
    return Inbox(
        adapter.line(), store, heard.extend, dependencies, lambda: notes.append(None)
    )


def names(heard: Sequence[Change]) -> list[str]:
    """Name what was heard."""
    return [
        each.message.message_id if isinstance(each, Received) else str(each.status)
        for each in heard
    ]


# The beginning


async def test_the_history_is_taken_silently(
    inbox: Inbox, adapter: FakeAdapter, store: Store, heard: list[Change]
) -> None:
    """What is there at the set-up is known from then on, and never told."""
    adapter.record = [inbound("old", at=-86_400), inbound("a", at=-60), inbound("b")]
    adapter.page_size = 1
    await inbox.begin()
    assert await store.inbound.progress() == BEGIN
    await inbox.catch_up(late=True)
    for message in adapter.record[1:]:
        await inbox.take(message)

    assert heard == []
    assert await store.inbound.horizon() == BEGIN
    assert store.tally.received == 0


async def test_beginning_happens_once(
    inbox: Inbox, adapter: FakeAdapter, heard: list[Change]
) -> None:
    """A restart is no new set-up: what came meanwhile is news."""
    await inbox.begin()
    adapter.record = [inbound("a")]
    await inbox.begin()
    assert adapter.questions == ["fetch_time", "fetch_inbound"]

    await inbox.catch_up(late=True)
    assert names(heard) == ["a"]


async def test_a_failing_beginning_leaves_nothing(
    inbox: Inbox, adapter: FakeAdapter, store: Store, heard: list[Change]
) -> None:
    """The next attempt begins anew, with all that is there by then."""
    adapter.record = [inbound("a", at=-60)]
    adapter.trouble["fetch_inbound"] = DOWN
    with pytest.raises(ProviderUnavailableError):
        await inbox.begin()
    assert await store.inbound.progress() is None
    assert await store.inbound.known(["a"]) == set()

    adapter.trouble.clear()
    await inbox.catch_up(late=True)
    assert await store.inbound.known(["a"]) == {"a"}
    await inbox.catch_up(late=True)
    assert heard == []


# Catching up


async def test_what_was_missed_is_told_oldest_first(
    inbox: Inbox,
    adapter: FakeAdapter,
    store: Store,
    heard: list[Change],
    clock: Clock,
) -> None:
    """All pages are read, and the next reading goes on where this one stopped."""
    await inbox.begin()
    adapter.record = [inbound(f"m{each}", at=each * 60) for each in range(60, 0, -1)]
    adapter.page_size = 7
    clock.advance(86_400)
    await inbox.catch_up(late=True)

    assert names(heard) == [f"m{each}" for each in range(1, 61)]
    assert all(each.late for each in heard if isinstance(each, Received))
    assert await store.inbound.progress() == clock.time
    adapter.questions.clear()
    await inbox.catch_up(late=True)
    # What was read is not read again.
    assert adapter.questions == ["fetch_inbound"]
    assert len(heard) == 60


async def test_readings_overlap(
    inbox: Inbox, adapter: FakeAdapter, heard: list[Change], clock: Clock
) -> None:
    """A message that the provider lists late is found, within reason."""
    await inbox.begin()
    clock.advance(7200)
    adapter.record = [inbound("newest", at=7200)]
    await inbox.catch_up(late=False)
    just_in, too_old = 7200 - OVERLAP.total_seconds(), 6299.0
    adapter.record += [inbound("slow", at=just_in), inbound("ancient", at=too_old)]
    await inbox.catch_up(late=False)

    assert names(heard) == ["newest", "slow"]
    assert [each.late for each in heard if isinstance(each, Received)] == [False] * 2


async def test_nothing_from_before_the_horizon(
    inbox: Inbox, adapter: FakeAdapter, heard: list[Change]
) -> None:
    """The overlap does not reach into the time before the set-up."""
    await inbox.begin()
    adapter.record = [inbound("history", at=-901), inbound("news", at=-899)]
    await inbox.catch_up(late=False)
    assert names(heard) == ["news"]


async def test_a_failing_page_keeps_the_earlier_ones(
    inbox: Inbox,
    adapter: FakeAdapter,
    store: Store,
    heard: list[Change],
    clock: Clock,
) -> None:
    """What was read is told, and the next reading brings the rest."""
    await inbox.begin()
    adapter.questions.clear()
    clock.advance(86_400)
    adapter.record = [inbound(f"m{each}", at=each * 1000) for each in range(1, 7)]
    adapter.page_size = 2

    async def fail_at_third() -> None:
        if len(adapter.questions) == 3:
            adapter.trouble["fetch_inbound"] = DOWN

    adapter.during["fetch_inbound"] = fail_at_third
    with pytest.raises(ProviderUnavailableError):
        await inbox.catch_up(late=True)
    assert names(heard) == ["m1", "m2", "m3", "m4"]
    assert await store.inbound.progress() == START + timedelta(seconds=4000)

    adapter.trouble.clear()
    adapter.during.clear()
    await inbox.catch_up(late=True)
    assert names(heard) == [f"m{each}" for each in range(1, 7)]


async def test_by_callback_and_by_poll(
    inbox: Inbox, adapter: FakeAdapter, heard: list[Change], store: Store
) -> None:
    """The same message both ways, in either order and during a reading, is one."""
    await inbox.begin()
    adapter.record = [inbound("a"), inbound("b", at=1), inbound("c", at=2)]
    await inbox.take(adapter.record[0])

    async def call_back() -> None:
        await inbox.take(adapter.record[1])

    adapter.during["fetch_inbound"] = call_back
    await inbox.catch_up(late=True)
    await inbox.take(adapter.record[2])

    assert names(heard) == ["a", "b", "c"]
    assert [each.late for each in heard if isinstance(each, Received)] == [
        False,
        False,
        True,
    ]
    assert store.tally.received == 3


async def test_open_deliveries_are_brought_to_their_end(
    inbox: Inbox, adapter: FakeAdapter, store: Store, heard: list[Change]
) -> None:
    """A message the provider no longer knows does not keep the others waiting."""
    await inbox.begin()
    for each in "abc":
        await store.outbound.add([outbound(each)], START)
        await store.outbound.accept(each, SentMessage(provider_id=each))
    adapter.receipts = {
        "a": receipt("a"),
        "c": receipt("c", DeliveryStatus.QUEUED),
    }
    await inbox.catch_up(late=False)
    assert names(heard) == ["delivered"]
    adapter.questions.clear()
    adapter.clock.advance(30)
    await inbox.catch_up(late=False)
    assert adapter.questions.count("fetch_receipt") == 2


async def test_a_receipt_that_makes_no_sense_stops_no_other(
    inbox: Inbox, adapter: FakeAdapter, store: Store, heard: list[Change]
) -> None:
    """The others are read all the same."""
    await inbox.begin()
    for each in "ab":
        await store.outbound.add([outbound(each)], START)
        await store.outbound.accept(each, SentMessage(provider_id=each))
    adapter.receipts = {"a": receipt("a"), "b": receipt("b")}

    async def confuse() -> None:
        adapter.trouble.pop("fetch_receipt", None)
        if adapter.questions.count("fetch_receipt") == 1:
            adapter.trouble["fetch_receipt"] = InvalidResponseError()

    adapter.during["fetch_receipt"] = confuse
    assert await inbox.catch_up_receipts()
    await store.examine()
    assert names(heard) == ["delivered"]
    adapter.during.clear()
    adapter.trouble.clear()
    assert not await inbox.catch_up_receipts()


async def test_a_bell_before_the_beginning_brings_nothing(
    inbox: Inbox, adapter: FakeAdapter, store: Store, heard: list[Change]
) -> None:
    """What is there before it is history, and the beginning reads it."""
    adapter.record = [inbound("a")]
    assert await inbox.look_up(inbound("a"))
    await store.examine()
    assert heard == []


async def test_a_receipt_that_makes_no_sense_is_asked_for_soon(
    inbox: Inbox, adapter: FakeAdapter, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who catches up with all is called again before long, not at the next poll."""
    await inbox.begin()
    await store.outbound.add([outbound("a")], START)
    await store.outbound.accept("a", SentMessage(provider_id="a"))
    adapter.trouble["fetch_receipt"] = InvalidResponseError()
    soon: list[None] = []
    monkeypatch.setattr(inbox, "_catch_up_soon", lambda: soon.append(None))
    await inbox.catch_up(late=False)
    assert soon == [None]


async def test_a_bounded_number_of_receipts_is_asked_for(
    inbox: Inbox, adapter: FakeAdapter, store: Store
) -> None:
    """A thousand open deliveries cost a few questions at a time."""
    await inbox.begin()
    for each in range(50):
        await store.outbound.add([outbound(str(each))], START)
        await store.outbound.accept(str(each), SentMessage(provider_id=str(each)))
    assert not await inbox.catch_up_receipts()
    assert adapter.questions.count("fetch_receipt") == 20


async def test_who_closes_among_the_questions_forgets_none(
    inbox: Inbox, adapter: FakeAdapter, store: Store
) -> None:
    """What was to be asked and was not is due still, and first."""
    await inbox.begin()
    for each in map(str, range(5)):
        await store.outbound.add([outbound(each)], START)
        await store.outbound.accept(each, SentMessage(provider_id=each))
    adapter.clock.advance(1000)

    async def close_at_third() -> None:
        if adapter.questions.count("fetch_receipt") == 3:
            raise asyncio.CancelledError

    adapter.during["fetch_receipt"] = close_at_third
    with pytest.raises(asyncio.CancelledError):
        await inbox.catch_up_receipts()
    assert len(await store.outbound.open_deliveries(20)) == 3


async def test_one_that_cannot_be_asked_about_stops_no_other_for_long(
    inbox: Inbox, adapter: FakeAdapter, store: Store
) -> None:
    """The next time, the others come first."""
    await inbox.begin()
    for each in "ab":
        await store.outbound.add([outbound(each)], START)
        await store.outbound.accept(each, SentMessage(provider_id=each))
    adapter.clock.advance(30)
    (first, second) = await store.outbound.open_deliveries(20)
    adapter.trouble["fetch_receipt"] = DOWN
    with pytest.raises(ProviderUnavailableError):
        await inbox.catch_up_receipts()
    assert await store.outbound.open_deliveries(20) == [second, first]


@pytest.mark.parametrize(
    ("ended", "asked", "are_left"), [(50, 50, False), (120, 100, True)]
)
async def test_more_are_asked_for_while_that_brings_news(
    inbox: Inbox,
    adapter: FakeAdapter,
    store: Store,
    ended: int,
    asked: int,
    are_left: bool,
) -> None:
    """Callbacks were missed then; a poll must end all the same."""
    await inbox.begin()
    for each in map(str, range(ended)):
        await store.outbound.add([outbound(each)], START)
        await store.outbound.accept(each, SentMessage(provider_id=each))
        adapter.receipts[each] = receipt(each)
    assert await inbox.catch_up_receipts() is are_left
    assert adapter.questions.count("fetch_receipt") == asked
    assert store.tally.pending == ended - asked


async def test_a_provider_without_receipts_is_not_asked(
    inbox: Inbox, adapter: FakeAdapter, store: Store
) -> None:
    """Its callbacks must do."""
    adapter.capabilities = Capability.HISTORY  # type: ignore[misc]
    await inbox.begin()
    await store.outbound.add([outbound("a")], START)
    await store.outbound.accept("a", SentMessage(provider_id="a"))
    await inbox.catch_up(late=False)
    await inbox.ask_for_receipt("a")
    assert "fetch_receipt" not in adapter.questions


async def test_one_message_is_asked_about(
    inbox: Inbox, adapter: FakeAdapter, store: Store
) -> None:
    """For whoever cannot wait until all are."""
    await inbox.begin()
    for each in ("a", "b"):
        await store.outbound.add([outbound(each)], START)
        await store.outbound.accept(each, SentMessage(provider_id=each))
    await inbox.ask_for_receipt("a")
    assert adapter.questions.count("fetch_receipt") == 1


# What callbacks bring


async def test_a_receipt_is_taken_once(
    inbox: Inbox, store: Store, heard: list[Change]
) -> None:
    """Repeated or unknown receipts are no news."""
    await store.outbound.add([outbound("m")], START)
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    for provider_id in ("P", "P", "unknown"):
        await inbox.take(receipt(provider_id))

    (change,) = heard
    assert isinstance(change, StatusChanged)
    assert change.message_id == "m"


async def test_what_an_unproven_event_may_concern(inbox: Inbox, store: Store) -> None:
    """Known messages, other lines' messages and foreign receipts bring no news."""
    assert await inbox.concerns(inbound("a"))
    assert await inbox.concerns(inbound("a", number=None))
    assert not await inbox.concerns(inbound("a", number="+33900000002"))
    await inbox.take(inbound("a"))
    assert not await inbox.concerns(inbound("a"))

    assert not await inbox.concerns(receipt("P"))
    await store.outbound.add([outbound("m")], START)
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    assert await inbox.concerns(receipt("P"))


async def test_an_unproven_event_is_looked_up(
    inbox: Inbox, adapter: FakeAdapter, store: Store, heard: list[Change]
) -> None:
    """What is told is what the provider says, not what the callback said."""
    await inbox.begin()
    adapter.record = [inbound("a", text="the truth")]
    assert await inbox.look_up(inbound("a", text="a lie"))
    assert not await inbox.look_up(inbound("b", text="a lie"))
    assert await inbox.look_up(inbound("a", text="a lie"))

    (news,) = heard
    assert isinstance(news, Received)
    assert (news.message.text, news.late) == ("the truth", False)
    await store.outbound.add([outbound("m")], START)
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    adapter.receipts["P"] = receipt("P", DeliveryStatus.FAILED)
    assert await inbox.look_up(receipt("P", DeliveryStatus.DELIVERED))
    await store.examine()
    assert names(heard) == ["a", "failed"]


async def test_a_look_up_does_not_bring_history_back(
    inbox: Inbox, adapter: FakeAdapter, store: Store, heard: list[Change]
) -> None:
    """Whoever rings with the id of an old message is not told it again."""
    await inbox.begin()
    adapter.record = [inbound("old", at=-1000), inbound("news", at=-900)]
    assert await inbox.look_up(inbound("old"))
    assert await inbox.look_up(inbound("news"))
    await store.examine()
    assert names(heard) == ["news"]


async def test_an_unknown_number_of_a_receipt(
    inbox: Inbox, adapter: FakeAdapter, store: Store
) -> None:
    """Any other trouble with a receipt is the caller's to hear of."""
    await inbox.begin()
    await store.outbound.add([outbound("a")], START)
    await store.outbound.accept("a", SentMessage(provider_id="a"))
    adapter.trouble["fetch_receipt"] = NotFoundError()
    await inbox.catch_up(late=False)
    adapter.clock.advance(30)
    adapter.trouble["fetch_receipt"] = DOWN
    with pytest.raises(ProviderUnavailableError):
        await inbox.catch_up(late=False)
