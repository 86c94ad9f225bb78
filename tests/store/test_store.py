"""The two books: what is news is said once, and what is known is never forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
import sqlite3

import pytest

from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
    InboundMessage,
    Media,
    RejectReason,
    SentMessage,
)
from custom_components.virtual_sms.store import (
    inbound as store_inbound,
    store as store_module,
)
from custom_components.virtual_sms.store.changes import (
    Progress,
    Received,
    StatusChanged,
)
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.outbound_orders import RECONCILE_AFTER
from custom_components.virtual_sms.store.store import RETENTION, Store, Tally
from tests.fakes import START, Clock, inbound, open_store, outbound, receipt

FAILED = Progress(status=DeliveryStatus.FAILED, reason=RejectReason.EXPIRED)
DAY = 86_400.0
LATER = START + timedelta(minutes=30)


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store lives."""
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path, clock: Clock) -> AsyncIterator[Store]:
    """Open an empty store."""
    store = await open_store(path, clock)
    yield store
    await store.close()


def ids(news: list[InboundMessage] | list[object]) -> list[str]:
    """List the ids of what was received."""
    return [each.message.message_id for each in news]  # type: ignore[attr-defined]


def remembered(path: Path) -> set[str]:
    """List the ids that the file holds in full."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT message_id FROM inbound").fetchall()
    return {message_id for (message_id,) in rows}


async def admit(store: Store, *messages: InboundMessage) -> list[str]:
    """Admit messages and return the ids of those that are news."""
    return ids(await store.inbound.admit(messages, late=False))


# What came in


async def test_a_message_is_news_once(store: Store) -> None:
    """Neither a repetition, nor another text under the same id, is news."""
    assert await admit(store, inbound("a"), inbound("a")) == ["a"]
    assert await admit(store, inbound("a", text="other"), inbound("b")) == ["b"]
    assert store.tally == Tally(received=2)


async def test_a_message_is_news_once_over_restarts(
    store: Store, path: Path, clock: Clock
) -> None:
    """A new start knows what the last one saw."""
    await admit(store, inbound("a"))
    again = await open_store(path, clock)
    assert await admit(again, inbound("a")) == []
    assert again.tally == Tally(received=1)
    await again.close()


async def test_news_is_told_oldest_first(store: Store) -> None:
    """The order in which a provider lists its messages does not matter."""
    found = await admit(store, inbound("c", at=3), inbound("a", at=1), inbound("b"))
    assert found == ["b", "a", "c"]
    assert ids(await store.inbound.unpublished()) == ["b", "a", "c"]


async def test_a_message_is_kept_whole_until_it_was_told(store: Store) -> None:
    """What a crash holds back is told with all that belongs to it."""
    message = InboundMessage(
        message_id="a",
        number=None,
        sender="Bank",
        text="Code 1234 \N{GRINNING FACE} \ud83d",
        received_at=START,
        segments=2,
        media=(Media(url="https://example.org/a", content_type="image/png"),),
    )
    await store.inbound.admit([message], late=True)

    (unpublished,) = await store.inbound.unpublished()
    assert (unpublished.message, unpublished.late) == (message, True)
    await store.note_published(
        [unpublished, Received(message=inbound("unheard of"), late=False)]
    )
    assert await store.inbound.unpublished() == []
    assert await admit(store, message) == []


async def test_known_ids(store: Store) -> None:
    """A provider that gives messages one by one need not give these again."""
    await admit(store, inbound("a"))
    assert await store.inbound.known(["a", "b", "'); DROP TABLE inbound"]) == {"a"}


async def test_the_beginning_makes_history(store: Store) -> None:
    """What was there before is known, neither told nor counted."""
    assert await store.inbound.progress() is None
    assert await store.inbound.horizon() is None
    assert await store.inbound.bounds() is None
    await admit(store, inbound("b"))
    await store.inbound.begin([inbound("a"), inbound("b")], START)

    assert await admit(store, inbound("a")) == []
    assert ids(await store.inbound.unpublished()) == ["b"]
    assert await store.inbound.progress() == START
    assert await store.inbound.horizon() == START
    assert store.tally == Tally(received=1)


async def test_progress_never_goes_back(store: Store) -> None:
    """An old message found late does not make the whole history be read again."""
    await store.inbound.begin([], START)
    await store.inbound.advance(LATER)
    await store.inbound.advance(START)

    assert await store.inbound.progress() == LATER
    assert await store.inbound.horizon() == START


# What went out


async def add(store: Store, *message_ids: str) -> list[StatusChanged]:
    """Write messages down, to be sent within half an hour."""
    messages = [outbound(message_id) for message_id in message_ids]
    return await store.outbound.add(messages, LATER)


async def test_the_first_state(store: Store) -> None:
    """A message is published as queued before anything is known of it."""
    (change,) = await add(store, "m")
    assert (change.status, change.previous) == (DeliveryStatus.QUEUED, None)
    assert (change.provider_id, change.recipient) == (None, "+33612345678")
    assert store.tally == Tally(pending=1)
    assert await store.outbound.due() == []


async def test_a_message_that_exists_is_not_written_twice(store: Store) -> None:
    """A repeated id is a fault of ours, and leaves the first one as it is."""
    await add(store, "m")
    with pytest.raises(Exception, match="UNIQUE"):
        await add(store, "n", "m")
    assert store.tally == Tally(pending=1)


async def test_statuses_only_move_forward(store: Store) -> None:
    """Whatever arrives late or twice is no news, and nothing follows the end."""
    await add(store, "m")
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    order = ["sent", "queued", "sent", "unknown", "undelivered", "delivered", "sent"]
    changes = [
        await store.outbound.receive(receipt("P", DeliveryStatus(status)))
        for status in [*order, "failed", "canceled", "queued"]
    ]

    assert [(c.previous, c.status) for c in changes if c] == [
        ("queued", "sent"),
        ("sent", "undelivered"),
    ]
    assert store.tally == Tally(sent=1, segments=1, failed=1)


async def test_a_receipt_brings_its_reason(store: Store) -> None:
    """Why a message ended is told now and after a restart."""
    await add(store, "m")
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    told = await store.outbound.receive(
        receipt(
            "P",
            DeliveryStatus.FAILED,
            reason=RejectReason.LANDLINE,
            error_code="30006",
            at=START + timedelta(seconds=5),
        )
    )

    assert told
    assert (told.reason, told.error_code) == (RejectReason.LANDLINE, "30006")
    assert (told.provider_id, told.at) == ("P", START + timedelta(seconds=5))
    (unpublished,) = await store.outbound.unpublished()
    assert (unpublished.reason, unpublished.error_code, unpublished.at) == (
        "landline",
        "30006",
        told.at,
    )
    assert (unpublished.previous, unpublished.provider_id) == (None, "P")


async def test_no_state_seems_older_than_the_one_before(store: Store) -> None:
    """A provider that rounds its times cannot turn the order around."""
    await add(store, "m")
    early = START - timedelta(seconds=1)
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    change = await store.outbound.receive(receipt("P", at=early))
    assert change
    assert change.at == START


async def test_whom_a_message_is_for_is_kept_with_it(
    store: Store, clock: Clock, path: Path
) -> None:
    """Every change of it says so, when it is sent and after a restart as well."""
    message = replace(outbound("m"), contact='["id", "Anna"]')
    (queued,) = await store.outbound.add([message], LATER)
    clock.advance(120)
    (due,) = await store.outbound.due()
    assert due.message.contact == queued.contact == '["id", "Anna"]'
    sent = SentMessage(provider_id="P", status=DeliveryStatus.SENT)
    (accepted,) = await store.outbound.accept("m", sent)
    delivered = await store.outbound.receive(receipt("P"))
    assert delivered
    again = await open_store(path, clock)
    (unpublished,) = await again.outbound.unpublished()
    await again.close()
    changes = (accepted, delivered, unpublished)
    assert {each.contact for each in changes} == {'["id", "Anna"]'}
    assert "Anna" not in repr([message, *changes])


async def test_a_provider_id_belongs_to_one_message(store: Store) -> None:
    """A second message cannot claim it, and keeps waiting."""
    await add(store, "m", "n")
    await store.outbound.postpone("n", START)
    sent = SentMessage(provider_id="P", status=DeliveryStatus.SENT)
    assert not await store.outbound.is_claimed("P")
    assert len(await store.outbound.accept("m", sent)) == 1
    assert await store.outbound.accept("n", sent) == []
    assert await store.outbound.accept("m", sent) == []
    assert await store.outbound.accept("m", SentMessage(provider_id="Q")) == []

    assert await store.outbound.is_claimed("P")
    assert not await store.outbound.is_claimed("Q")
    assert [due.message.message_id for due in await store.outbound.due()] == ["n"]
    assert store.tally == Tally(sent=1, segments=1, pending=2)


async def test_a_receipt_may_overtake_the_answer(store: Store) -> None:
    """What it said is asked for again once we know that the message was accepted."""
    await add(store, "m")
    assert await store.outbound.receive(receipt("P")) is None
    assert await store.outbound.accept("m", SentMessage(provider_id="P")) == []
    assert await store.outbound.open_deliveries(1) == ["P"]
    change = await store.outbound.receive(receipt("P"))
    assert change
    assert (change.previous, change.status) == ("queued", "delivered")


async def test_a_receipt_with_our_id_may_overtake_the_answer(store: Store) -> None:
    """It claims its message, and the answer that follows changes nothing."""
    await add(store, "m")
    early = receipt(
        "P",
        DeliveryStatus.FAILED,
        message_id="m",
        reason=RejectReason.SPAM,
        error_code="1",
        at=START + timedelta(seconds=1),
    )
    change = await store.outbound.receive(early)
    assert change
    assert (change.reason, change.error_code, change.at) == ("spam", "1", early.at)
    sent = SentMessage(provider_id="P", status=DeliveryStatus.SENT)
    assert await store.outbound.accept("m", sent) == []
    assert store.tally == Tally(sent=1, segments=1, failed=1)


async def test_who_listens_hears_of_every_count(store: Store) -> None:
    """And of nothing else."""
    heard: list[Tally] = []
    stop = store.listen(lambda: heard.append(store.tally))
    await add(store, "m")
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    await store.outbound.receive(receipt("P", DeliveryStatus.SENT))
    await store.examine()
    assert heard == [Tally(pending=1), Tally(sent=1, segments=1, pending=1)]
    stop()


@pytest.mark.parametrize("steps", range(8))
async def test_who_has_heard_enough_hears_no_more(store: Store, steps: int) -> None:
    """Not even when that is in the middle of a write."""
    heard: list[Tally] = []
    stop = store.listen(lambda: heard.append(store.tally))
    adding = asyncio.create_task(add(store, "m"))
    for _ in range(steps):
        await asyncio.sleep(0)
    stop()
    before = len(heard)
    await adding
    await store.examine()
    assert len(heard) == before


async def test_nothing_is_expected_of_what_has_ended(store: Store) -> None:
    """Whatever rings for it can be no news."""
    await add(store, "m")
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    assert await store.outbound.expects(receipt("P"))
    await store.outbound.receive(receipt("P", DeliveryStatus.DELIVERED))
    assert not await store.outbound.expects(receipt("P"))


async def test_a_receipt_with_our_id_claims_its_message(store: Store) -> None:
    """A callback can be the first to tell that a message was accepted."""
    await add(store, "m", "n")
    claim = receipt("P", DeliveryStatus.SENT, message_id="m")
    assert await store.outbound.expects(claim)
    change = await store.outbound.receive(claim)

    assert change
    assert (change.message_id, change.provider_id) == ("m", "P")
    assert store.tally == Tally(sent=1, segments=1, pending=2)
    stranger = receipt("Q", DeliveryStatus.SENT, message_id="unheard of")
    assert not await store.outbound.expects(stranger)
    assert await store.outbound.receive(stranger) is None
    # The same message cannot have been accepted under another id.
    again = receipt("R", DeliveryStatus.DELIVERED, message_id="m")
    assert await store.outbound.receive(again) is None


async def test_only_what_was_not_accepted_is_ours_to_move(store: Store) -> None:
    """Once the provider has a message, its receipts alone say what became of it."""
    await add(store, "m", "n")
    await store.outbound.accept("m", SentMessage(provider_id="P"))

    assert await store.outbound.move("m", FAILED) is None
    assert await store.outbound.move("unheard of", FAILED) is None
    change = await store.outbound.move("n", FAILED)
    assert change
    assert change.status is DeliveryStatus.FAILED
    assert await store.outbound.move("n", FAILED) is None
    assert store.tally == Tally(sent=1, segments=1, failed=1, pending=1)


async def test_what_was_accepted_or_ended_is_never_due(store: Store) -> None:
    """Nothing can bring it back to be sent again."""
    await add(store, "m", "n")
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    await store.outbound.move("n", FAILED)
    for message_id in ("m", "n"):
        await store.outbound.postpone(message_id, START)
        await store.outbound.clear(message_id, START)
        assert await store.outbound.note_unknown(message_id, START, START) == []
        assert not await store.outbound.attempt(message_id)
    await store.outbound.recover()

    assert await store.outbound.due() == []
    assert await store.outbound.next_due() is None


async def test_what_waits_is_due_in_its_time(store: Store, clock: Clock) -> None:
    """The oldest comes first, with all that is needed to send it."""
    second = outbound("n", created_at=START + timedelta(seconds=1))
    first = outbound("m", text="Leak \N{DROPLET}" * 20, media=["https://e.org/a"])
    await store.outbound.add([second, first], LATER)
    await store.outbound.clear("m", START + timedelta(seconds=20))
    await store.outbound.postpone("n", START + timedelta(seconds=10))
    assert await store.outbound.due() == []
    assert await store.outbound.next_due() == START + timedelta(seconds=10)

    clock.advance(20)
    one, other = await store.outbound.due()
    assert one.message.message_id == "m"
    assert (one.message.text, one.message.media) == (first.text, first.media)
    assert (one.message.segments, one.message.encoding) == (3, "UCS-2")
    assert (one.deadline, one.settled_at) == (LATER, None)
    assert (other.message, other.settled_at) == (second, START + RECONCILE_AFTER)


async def test_an_attempt_is_in_doubt_until_it_ends(store: Store) -> None:
    """While it is under way it is not due, and a crash leaves it in doubt."""
    await add(store, "m")
    await store.outbound.clear("m", START)
    assert await store.outbound.attempt("m")
    assert await store.outbound.due() == []
    await store.outbound.recover()

    (due,) = await store.outbound.due()
    assert due.settled_at == START + RECONCILE_AFTER


async def test_a_crash_may_come_long_after_the_attempt_began(
    store: Store, path: Path, clock: Clock
) -> None:
    """The request may have waited for its turn and left at the last instant."""
    await add(store, "m")
    clock.advance(300)
    again = await open_store(path, clock)

    (due,) = await again.outbound.due()
    assert due.settled_at == clock() + RECONCILE_AFTER
    assert due.message == outbound("m")
    await again.close()


async def test_a_start_makes_all_that_waits_due(
    store: Store, path: Path, clock: Clock
) -> None:
    """Whatever the clock says by then; a doubt is as fresh as one of this moment."""
    await add(store, "m", "n")
    await store.outbound.note_unknown("m", LATER, START)
    await store.outbound.clear("n", LATER)
    again = await open_store(path, clock)
    due = {each.message.message_id: each for each in await again.outbound.due()}
    assert due["m"].settled_at == START + RECONCILE_AFTER
    assert due["n"].settled_at is None
    await again.close()


async def test_a_doubt_is_told(store: Store) -> None:
    """The first doubt is a change, the second is none."""
    await add(store, "m")
    (change,) = await store.outbound.note_unknown("m", LATER, START)
    assert (change.previous, change.status) == ("queued", "unknown")
    assert await store.outbound.note_unknown("m", LATER, START) == []


async def test_open_deliveries_take_turns(store: Store, clock: Clock) -> None:
    """However many there are, each is asked about in the end."""
    await add(store, *"abcde")
    for message_id in "abcd":
        await store.outbound.accept(message_id, SentMessage(provider_id=message_id))
    await store.outbound.receive(receipt("d"))
    asked: list[str] = []
    for _ in range(3):
        clock.advance(1)
        opened = await store.outbound.open_deliveries(2)
        for provider_id in opened:
            await store.outbound.note_asked(provider_id)
        asked += opened

    assert set(asked[:4]) == set("abc")
    assert asked[4] == "b"


@pytest.mark.parametrize(("age", "wait"), [(800, 200), (4 * 86_400, 3600)])
async def test_old_messages_are_asked_about_seldom(
    store: Store, clock: Clock, age: float, wait: float
) -> None:
    """A receipt that has not come for days is not asked for every half minute."""
    await add(store, "a")
    await store.outbound.accept("a", SentMessage(provider_id="a"))
    clock.advance(age)
    # To be listed is not to be asked about yet.
    for _ in range(2):
        assert await store.outbound.open_deliveries(20) == ["a"]
    await store.outbound.note_asked("a")
    clock.advance(wait * 0.9)
    assert await store.outbound.open_deliveries(20) == []
    clock.advance(wait * 0.6)
    assert await store.outbound.open_deliveries(20) == ["a"]


async def test_what_was_not_told_is_known_after_a_crash(
    store: Store, path: Path, clock: Clock
) -> None:
    """Each message's present state is told, after the one that was told last."""
    told = await add(store, "m", "n")
    await store.note_published(told)
    clock.advance(1)
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    await store.outbound.receive(receipt("P", DeliveryStatus.SENT))
    await store.outbound.receive(receipt("P"))
    again = await open_store(path, clock)

    (unpublished,) = await again.outbound.unpublished()
    assert (unpublished.message_id, unpublished.previous, unpublished.status) == (
        "m",
        "queued",
        "delivered",
    )
    await again.note_published([unpublished])
    assert await again.outbound.unpublished() == []
    await again.close()


@pytest.mark.parametrize(("sent", "received"), [(9, 7), (20, 9), (30, 30)])
async def test_texts_are_gone_once_they_are_not_needed(
    store: Store, path: Path, sent: int, received: int
) -> None:
    """What was accepted, what failed, and what was published do not stay on disk.

    Where sqlite moved a row while it held a text, the next `prune` is what counts.
    """
    text = "SECRET CODE 1234"
    for number in range(200):
        message_id = f"m{number}"
        message = outbound(message_id, text=f"{text} {number}" * (number % sent))
        await store.outbound.add([message], LATER)
        if number % 2:
            answer = SentMessage(provider_id=f"P{number}")
            await store.outbound.accept(message_id, answer)
        else:
            await store.outbound.move(message_id, FAILED)
        await admit(store, inbound(message_id, text=text * (number % received)))
    await store.note_published(await store.inbound.unpublished())
    await store.prune()
    await store.close()

    assert text.encode() not in path.read_bytes()


async def test_a_file_is_written_anew_only_after_something_new(
    store: Store, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither each day nor at each start: that wears a card for nothing."""
    compacted: list[bool] = []
    monkeypatch.setattr(Database, "compact", lambda _: compacted.append(True))

    async def is_compacted(store: Store) -> bool:
        clock.advance(DAY)
        await store.inbound.advance(clock.time)
        compacted.clear()
        await store.prune()
        return bool(compacted)

    await store.inbound.begin([], START)
    await add(store, "waiting")
    assert await is_compacted(store)
    assert not await is_compacted(store)
    await store.close()
    again = await open_store(path, clock)
    assert not await is_compacted(again)
    await admit(again, inbound("a"))
    assert await is_compacted(again)
    await again.outbound.move("waiting", FAILED)
    assert await is_compacted(again)
    assert not await is_compacted(again)
    clock.advance(40 * DAY)
    assert await is_compacted(again)
    await again.note_published(await again.inbound.unpublished())
    clock.advance(RETENTION.total_seconds())
    assert await is_compacted(again)
    assert not await is_compacted(again)
    await again.close()


# What is forgotten


async def test_old_ids_become_history(store: Store, clock: Clock, path: Path) -> None:
    """What is forgotten lies before the horizon, and is never news again."""
    await store.inbound.begin([], START)
    await admit(store, inbound("a", at=-1), inbound("b"), inbound("c", at=1))
    await store.note_published((await store.inbound.unpublished())[:2])
    clock.time = START + RETENTION
    await store.inbound.advance(clock.time)
    await store.prune()

    assert remembered(path) == {"b", "c"}
    assert await store.inbound.horizon() == START
    clock.advance(DAY)
    await store.inbound.advance(clock.time)
    await store.prune()
    # What nobody heard of yet is never forgotten.
    assert remembered(path) == {"c"}
    assert await store.inbound.horizon() == START + timedelta(days=1)
    assert store.tally.received == 3


async def test_there_are_never_too_many_ids(
    store: Store, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    """Beyond a bound the oldest go, and whatever went is before the horizon."""
    monkeypatch.setattr(store_inbound, "_MOST_INBOUND", 3)
    await store.inbound.begin([], START - timedelta(days=1))
    names = "abcdefg"
    await admit(store, *(inbound(each, at=i // 2) for i, each in enumerate(names)))
    await store.note_published(await store.inbound.unpublished())
    await store.prune()

    horizon = await store.inbound.horizon()
    assert remembered(path) == set("cdefg")
    assert horizon == START + timedelta(seconds=1)


async def test_pruning_before_the_beginning_begins_nothing(store: Store) -> None:
    """The first reading of the history is yet to come."""
    await store.prune()
    assert await store.inbound.progress() is None


async def test_old_messages_are_forgotten(store: Store, clock: Clock) -> None:
    """First no receipt is waited for any more, then the message goes."""
    await add(store, "waiting", "accepted", "ended")
    await store.outbound.accept("accepted", SentMessage(provider_id="P"))
    await store.outbound.move("ended", FAILED)
    clock.advance(2 * DAY)
    await store.prune()
    assert store.tally.pending == 2
    clock.advance(2 * DAY)
    await store.prune()
    assert store.tally.pending == 1
    assert await store.outbound.open_deliveries(9) == []
    # A receipt that comes all the same is still told.
    assert await store.outbound.receive(receipt("P"))

    clock.advance(30 * DAY)
    await store.prune()
    assert {each.message_id for each in await store.outbound.unpublished()} == {
        "waiting"
    }
    assert store.tally == Tally(sent=1, segments=1, failed=1, pending=1)


async def test_there_are_never_too_many_messages(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a bound the oldest that have ended go."""
    monkeypatch.setattr(store_module, "_MOST_OUTBOUND", 1)
    for number, message_id in enumerate("abc"):
        created_at = START + timedelta(seconds=number)
        message = outbound(message_id, created_at=created_at)
        await store.outbound.add([message], LATER)
    for message_id in "bc":
        await store.outbound.move(message_id, FAILED)
    await store.prune()

    left = {each.message_id for each in await store.outbound.unpublished()}
    assert left == {"a", "c"}


# What it costs


async def test_what_is_over_costs_nothing(store: Store) -> None:
    """What is asked often takes no more steps for thousands of closed messages."""
    connection = store._database._connection
    assert connection is not None
    await add(store, "a")
    await store.outbound.accept("a", SentMessage(provider_id="a"))

    async def count(question: Callable[[], Awaitable[object]]) -> int:
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        connection.set_progress_handler(step, 1)
        await question()
        connection.set_progress_handler(None, 1)
        return steps

    questions: tuple[Callable[[], Awaitable[object]], ...] = (
        store.outbound.due,
        store.outbound.next_due,
        lambda: store.outbound.open_deliveries(20),
        lambda: store.outbound.unpriced(20),
        lambda: store.outbound.is_claimed("a"),
        lambda: store.inbound.known(["a"]),
        store.examine,
    )
    before = [await count(each) for each in questions]
    connection.execute("CREATE TEMP TABLE number (value)")
    connection.executemany("INSERT INTO number VALUES (?)", ((n,) for n in range(2000)))
    connection.execute(
        "INSERT INTO outbound (message_id, provider_id, recipient, status, told, at,"
        " created_at, deadline, open) SELECT value, value, '', 'delivered',"
        " 'delivered', value, value, value, 0 FROM number"
    )
    connection.execute(
        "INSERT INTO inbound (message_id, received_at, late)"
        " SELECT value, value, 0 FROM number"
    )
    after = [await count(each) for each in questions]
    assert all(many <= few + 20 for few, many in zip(before, after, strict=True))
