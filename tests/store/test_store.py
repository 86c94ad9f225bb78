"""The two books: what is news is said once, and what is known is never forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
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
    inbound as ledger_inbound,
    store as ledger_module,
)
from custom_components.virtual_sms.store.changes import Received, StatusChanged
from custom_components.virtual_sms.store.early import Progress
from custom_components.virtual_sms.store.outbound_orders import SETTLE
from custom_components.virtual_sms.store.store import RETENTION, Ledger, Tally
from tests.fakes import START, Clock, inbound, open_ledger, outbound, receipt

FAILED = Progress(status=DeliveryStatus.FAILED, reason=RejectReason.EXPIRED)
DAY = 86_400.0
LATER = START + timedelta(minutes=30)


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the ledger lives."""
    return tmp_path / "ledger.db"


@pytest.fixture
async def ledger(path: Path, clock: Clock) -> AsyncIterator[Ledger]:
    """Open an empty ledger."""
    ledger = await open_ledger(path, clock)
    yield ledger
    await ledger.close()


def ids(news: list[InboundMessage] | list[object]) -> list[str]:
    """List the ids of what was received."""
    return [each.message.message_id for each in news]  # type: ignore[attr-defined]


def remembered(path: Path) -> set[str]:
    """List the ids that the file holds in full."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT message_id FROM inbound").fetchall()
    return {message_id for (message_id,) in rows}


async def admit(ledger: Ledger, *messages: InboundMessage) -> list[str]:
    """Admit messages and return the ids of those that are news."""
    return ids(await ledger.inbound.admit(messages, late=False))


# What came in


async def test_a_message_is_news_once(ledger: Ledger) -> None:
    """Neither a repetition, nor another text under the same id, is news."""
    assert await admit(ledger, inbound("a"), inbound("a")) == ["a"]
    assert await admit(ledger, inbound("a", text="other"), inbound("b")) == ["b"]
    assert ledger.tally == Tally(received=2)


async def test_a_message_is_news_once_over_restarts(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    """A new start knows what the last one saw."""
    await admit(ledger, inbound("a"))
    again = await open_ledger(path, clock)
    assert await admit(again, inbound("a")) == []
    assert again.tally == Tally(received=1)
    await again.close()


async def test_news_is_told_oldest_first(ledger: Ledger) -> None:
    """The order in which a provider lists its messages does not matter."""
    found = await admit(ledger, inbound("c", at=3), inbound("a", at=1), inbound("b"))
    assert found == ["b", "a", "c"]
    assert ids(await ledger.inbound.untold()) == ["b", "a", "c"]


async def test_a_message_is_kept_whole_until_it_was_told(ledger: Ledger) -> None:
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
    await ledger.inbound.admit([message], late=True)

    (untold,) = await ledger.inbound.untold()
    assert (untold.message, untold.late) == (message, True)
    await ledger.told([untold, Received(message=inbound("unheard of"), late=False)])
    assert await ledger.inbound.untold() == []
    assert await admit(ledger, message) == []


async def test_known_ids(ledger: Ledger) -> None:
    """A provider that gives messages one by one need not give these again."""
    await admit(ledger, inbound("a"))
    assert await ledger.inbound.known(["a", "b", "'); DROP TABLE inbound"]) == {"a"}


async def test_the_beginning_makes_history(ledger: Ledger) -> None:
    """What was there before is known, neither told nor counted."""
    assert await ledger.inbound.progress() is None
    assert await ledger.inbound.horizon() is None
    assert await ledger.inbound.bounds() is None
    await admit(ledger, inbound("b"))
    await ledger.inbound.begin([inbound("a"), inbound("b")], START)

    assert await admit(ledger, inbound("a")) == []
    assert ids(await ledger.inbound.untold()) == ["b"]
    assert await ledger.inbound.progress() == START
    assert await ledger.inbound.horizon() == START
    assert ledger.tally == Tally(received=1)


async def test_progress_never_goes_back(ledger: Ledger) -> None:
    """An old message found late does not make the whole history be read again."""
    await ledger.inbound.begin([], START)
    await ledger.inbound.advance(LATER)
    await ledger.inbound.advance(START)

    assert await ledger.inbound.progress() == LATER
    assert await ledger.inbound.horizon() == START


# What went out


async def add(ledger: Ledger, *message_ids: str) -> list[StatusChanged]:
    """Write messages down, to be sent within half an hour."""
    messages = [outbound(message_id) for message_id in message_ids]
    return await ledger.outbound.add(messages, LATER)


async def test_the_first_state(ledger: Ledger) -> None:
    """A message is announced as queued before anything is known of it."""
    (change,) = await add(ledger, "m")
    assert (change.status, change.previous) == (DeliveryStatus.QUEUED, None)
    assert (change.provider_id, change.recipient) == (None, "+33612345678")
    assert ledger.tally == Tally(pending=1)
    assert await ledger.outbound.due() == []


async def test_a_message_that_exists_is_not_written_twice(ledger: Ledger) -> None:
    """A repeated id is a fault of ours, and leaves the first one as it is."""
    await add(ledger, "m")
    with pytest.raises(Exception, match="UNIQUE"):
        await add(ledger, "n", "m")
    assert ledger.tally == Tally(pending=1)


async def test_statuses_only_move_forward(ledger: Ledger) -> None:
    """Whatever arrives late or twice is no news, and nothing follows the end."""
    await add(ledger, "m")
    await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    order = ["sent", "queued", "sent", "unknown", "undelivered", "delivered", "sent"]
    changes = [
        await ledger.outbound.receive(receipt("P", DeliveryStatus(status)))
        for status in [*order, "failed", "canceled", "queued"]
    ]

    assert [(c.previous, c.status) for c in changes if c] == [
        ("queued", "sent"),
        ("sent", "undelivered"),
    ]
    assert ledger.tally == Tally(sent=1, failed=1)


async def test_a_receipt_brings_its_reason(ledger: Ledger) -> None:
    """Why a message ended is told now and after a restart."""
    await add(ledger, "m")
    await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    told = await ledger.outbound.receive(
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
    (untold,) = await ledger.outbound.untold()
    assert (untold.reason, untold.error_code, untold.at) == (
        "landline",
        "30006",
        told.at,
    )
    assert (untold.previous, untold.provider_id) == (None, "P")


async def test_no_state_seems_older_than_the_one_before(ledger: Ledger) -> None:
    """A provider that rounds its times cannot turn the order around."""
    await add(ledger, "m")
    early = START - timedelta(seconds=1)
    await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    change = await ledger.outbound.receive(receipt("P", at=early))
    assert change
    assert change.at == START


async def test_a_provider_id_belongs_to_one_message(ledger: Ledger) -> None:
    """A second message cannot claim it, and keeps waiting."""
    await add(ledger, "m", "n")
    await ledger.outbound.postpone("n", START)
    sent = SentMessage(provider_id="P", status=DeliveryStatus.SENT)
    assert not await ledger.outbound.is_claimed("P")
    assert len(await ledger.outbound.accept("m", sent)) == 1
    assert await ledger.outbound.accept("n", sent) == []
    assert await ledger.outbound.accept("m", sent) == []
    assert await ledger.outbound.accept("m", SentMessage(provider_id="Q")) == []

    assert await ledger.outbound.is_claimed("P")
    assert not await ledger.outbound.is_claimed("Q")
    assert [due.message.message_id for due in await ledger.outbound.due()] == ["n"]
    assert ledger.tally == Tally(sent=1, pending=2)


async def test_a_receipt_may_overtake_the_answer(ledger: Ledger) -> None:
    """What is said of a message before we know it was accepted is kept for it."""
    await add(ledger, "m")
    at = START + timedelta(seconds=1)
    for status in (DeliveryStatus.DELIVERED, DeliveryStatus.SENT, DeliveryStatus.SENT):
        early = receipt("P", status, at=at)
        assert await ledger.outbound.receive(early) is None
    assert await ledger.outbound.receive(receipt("other")) is None

    changes = await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    assert [(c.previous, c.status, c.at) for c in changes] == [
        ("queued", "sent", at),
        ("sent", "delivered", at),
    ]
    assert ledger.tally == Tally(sent=1)


async def test_an_early_receipt_keeps_its_reason(ledger: Ledger) -> None:
    """Also the end of a message may be known before its beginning."""
    await add(ledger, "m")
    await ledger.outbound.receive(
        receipt("P", DeliveryStatus.FAILED, reason=RejectReason.SPAM, error_code="1")
    )
    (change,) = await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    assert (change.reason, change.error_code) == (RejectReason.SPAM, "1")


async def test_who_listens_hears_of_every_count(ledger: Ledger) -> None:
    """And of nothing else."""
    heard: list[Tally] = []
    stop = ledger.listen(lambda: heard.append(ledger.tally))
    await add(ledger, "m")
    await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    await ledger.outbound.receive(receipt("P", DeliveryStatus.SENT))
    await ledger.examine()
    assert heard == [Tally(pending=1), Tally(sent=1, pending=1)]
    stop()


@pytest.mark.parametrize("steps", range(8))
async def test_who_has_heard_enough_hears_no_more(ledger: Ledger, steps: int) -> None:
    """Not even when that is in the middle of a write."""
    heard: list[Tally] = []
    stop = ledger.listen(lambda: heard.append(ledger.tally))
    adding = asyncio.create_task(add(ledger, "m"))
    for _ in range(steps):
        await asyncio.sleep(0)
    stop()
    before = len(heard)
    await adding
    await ledger.examine()
    assert len(heard) == before


async def test_nothing_is_expected_of_what_has_ended(ledger: Ledger) -> None:
    """Whatever rings for it can be no news."""
    await add(ledger, "m")
    await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    assert await ledger.outbound.expects(receipt("P"))
    await ledger.outbound.receive(receipt("P", DeliveryStatus.DELIVERED))
    assert not await ledger.outbound.expects(receipt("P"))


async def test_a_receipt_with_our_id_claims_its_message(ledger: Ledger) -> None:
    """A callback can be the first to tell that a message was accepted."""
    await add(ledger, "m", "n")
    claim = receipt("P", DeliveryStatus.SENT, message_id="m")
    assert await ledger.outbound.expects(claim)
    change = await ledger.outbound.receive(claim)

    assert change
    assert (change.message_id, change.provider_id) == ("m", "P")
    assert ledger.tally == Tally(sent=1, pending=2)
    stranger = receipt("Q", DeliveryStatus.SENT, message_id="unheard of")
    assert not await ledger.outbound.expects(stranger)
    assert await ledger.outbound.receive(stranger) is None
    # The same message cannot have been accepted under another id.
    again = receipt("R", DeliveryStatus.DELIVERED, message_id="m")
    assert await ledger.outbound.receive(again) is None


async def test_only_what_was_not_accepted_is_ours_to_move(ledger: Ledger) -> None:
    """Once the provider has a message, its receipts alone say what became of it."""
    await add(ledger, "m", "n")
    await ledger.outbound.accept("m", SentMessage(provider_id="P"))

    assert await ledger.outbound.move("m", FAILED) is None
    assert await ledger.outbound.move("unheard of", FAILED) is None
    change = await ledger.outbound.move("n", FAILED)
    assert change
    assert change.status is DeliveryStatus.FAILED
    assert await ledger.outbound.move("n", FAILED) is None
    assert ledger.tally == Tally(sent=1, failed=1, pending=1)


async def test_what_was_accepted_or_ended_is_never_due(ledger: Ledger) -> None:
    """Nothing can bring it back to be sent again."""
    await add(ledger, "m", "n")
    await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    await ledger.outbound.move("n", FAILED)
    for message_id in ("m", "n"):
        await ledger.outbound.postpone(message_id, START)
        await ledger.outbound.clear(message_id, START)
        assert await ledger.outbound.doubt(message_id, START, START) == []
        assert not await ledger.outbound.attempt(message_id)
    await ledger.outbound.recover()

    assert await ledger.outbound.due() == []
    assert await ledger.outbound.next_due() is None


async def test_what_waits_is_due_in_its_time(ledger: Ledger, clock: Clock) -> None:
    """The oldest comes first, with all that is needed to send it."""
    second = outbound("n", created_at=START + timedelta(seconds=1))
    first = outbound("m", text="Leak \N{DROPLET}" * 20, media=["https://e.org/a"])
    await ledger.outbound.add([second, first], LATER)
    await ledger.outbound.clear("m", START + timedelta(seconds=20))
    await ledger.outbound.postpone("n", START + timedelta(seconds=10))
    assert await ledger.outbound.due() == []
    assert await ledger.outbound.next_due() == START + timedelta(seconds=10)

    clock.advance(20)
    one, other = await ledger.outbound.due()
    assert one.message.message_id == "m"
    assert (one.message.text, one.message.media) == (first.text, first.media)
    assert (one.message.segments, one.message.encoding) == (3, "UCS-2")
    assert (one.deadline, one.settled_at) == (LATER, None)
    assert (other.message, other.settled_at) == (second, START + SETTLE)


async def test_an_attempt_is_in_doubt_until_it_ends(ledger: Ledger) -> None:
    """While it is under way it is not due, and a crash leaves it in doubt."""
    await add(ledger, "m")
    await ledger.outbound.clear("m", START)
    assert await ledger.outbound.attempt("m")
    assert await ledger.outbound.due() == []
    await ledger.outbound.recover()

    (due,) = await ledger.outbound.due()
    assert due.settled_at == START + SETTLE


async def test_a_crash_may_come_long_after_the_attempt_began(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    """The request may have waited for its turn and left at the last instant."""
    await add(ledger, "m")
    clock.advance(300)
    again = await open_ledger(path, clock)

    (due,) = await again.outbound.due()
    assert due.settled_at == clock() + SETTLE
    assert due.message == outbound("m")
    await again.close()


async def test_a_start_makes_all_that_waits_due(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    """Whatever the clock says by then; a doubt is as fresh as one of this moment."""
    await add(ledger, "m", "n")
    await ledger.outbound.doubt("m", LATER, START)
    await ledger.outbound.clear("n", LATER)
    again = await open_ledger(path, clock)
    due = {each.message.message_id: each for each in await again.outbound.due()}
    assert due["m"].settled_at == START + SETTLE
    assert due["n"].settled_at is None
    await again.close()


async def test_a_doubt_is_told(ledger: Ledger) -> None:
    """The first doubt is a change, the second is none."""
    await add(ledger, "m")
    (change,) = await ledger.outbound.doubt("m", LATER, START)
    assert (change.previous, change.status) == ("queued", "unknown")
    assert await ledger.outbound.doubt("m", LATER, START) == []


async def test_open_deliveries_take_turns(ledger: Ledger, clock: Clock) -> None:
    """However many there are, each is asked about in the end."""
    await add(ledger, *"abcde")
    for message_id in "abcd":
        await ledger.outbound.accept(message_id, SentMessage(provider_id=message_id))
    await ledger.outbound.receive(receipt("d"))
    asked: list[str] = []
    for _ in range(3):
        clock.advance(1)
        asked += await ledger.outbound.open_deliveries(2)

    assert set(asked[:4]) == set("abc")
    assert asked[4] == "b"


@pytest.mark.parametrize(("age", "wait"), [(800, 200), (4 * 86_400, 3600)])
async def test_old_messages_are_asked_about_seldom(
    ledger: Ledger, clock: Clock, age: float, wait: float
) -> None:
    """A receipt that has not come for days is not asked for every half minute."""
    await add(ledger, "a")
    await ledger.outbound.accept("a", SentMessage(provider_id="a"))
    clock.advance(age)
    assert await ledger.outbound.open_deliveries(20) == ["a"]
    clock.advance(wait * 0.9)
    assert await ledger.outbound.open_deliveries(20) == []
    clock.advance(wait * 0.6)
    assert await ledger.outbound.open_deliveries(20) == ["a"]


async def test_what_was_not_told_is_known_after_a_crash(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    """Each message's present state is told, after the one that was told last."""
    told = await add(ledger, "m", "n")
    await ledger.told(told)
    clock.advance(1)
    await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    await ledger.outbound.receive(receipt("P", DeliveryStatus.SENT))
    await ledger.outbound.receive(receipt("P"))
    again = await open_ledger(path, clock)

    (untold,) = await again.outbound.untold()
    assert (untold.message_id, untold.previous, untold.status) == (
        "m",
        "queued",
        "delivered",
    )
    await again.told([untold])
    assert await again.outbound.untold() == []
    await again.close()


async def test_texts_are_gone_once_they_are_not_needed(
    ledger: Ledger, path: Path
) -> None:
    """Neither what was accepted, nor what failed, nor what was told, stays on disk."""
    text = "SECRET CODE 1234"
    for number in range(200):
        message_id = f"m{number}"
        message = outbound(message_id, text=f"{text} {number}" * (number % 9))
        await ledger.outbound.add([message], LATER)
        if number % 2:
            sent = SentMessage(provider_id=f"P{number}")
            await ledger.outbound.accept(message_id, sent)
        else:
            await ledger.outbound.move(message_id, FAILED)
        await admit(ledger, inbound(message_id, text=text * (number % 7)))
    await ledger.told(await ledger.inbound.untold())
    await ledger.close()

    assert text.encode() not in path.read_bytes()


# What is forgotten


async def test_old_ids_become_history(ledger: Ledger, clock: Clock, path: Path) -> None:
    """What is forgotten lies before the horizon, and is never news again."""
    await ledger.inbound.begin([], START)
    await admit(ledger, inbound("a", at=-1), inbound("b"), inbound("c", at=1))
    await ledger.told((await ledger.inbound.untold())[:2])
    clock.time = START + RETENTION
    await ledger.inbound.advance(clock.time)
    await ledger.prune()

    assert remembered(path) == {"b", "c"}
    assert await ledger.inbound.horizon() == START
    clock.advance(DAY)
    await ledger.inbound.advance(clock.time)
    await ledger.prune()
    # What nobody heard of yet is never forgotten.
    assert remembered(path) == {"c"}
    assert await ledger.inbound.horizon() == START + timedelta(days=1)
    assert ledger.tally.received == 3


async def test_there_are_never_too_many_ids(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    """Beyond a bound the oldest go, and whatever went is before the horizon."""
    monkeypatch.setattr(ledger_inbound, "_MOST_INBOUND", 3)
    await ledger.inbound.begin([], START - timedelta(days=1))
    names = "abcdefg"
    await admit(ledger, *(inbound(each, at=i // 2) for i, each in enumerate(names)))
    await ledger.told(await ledger.inbound.untold())
    await ledger.prune()

    horizon = await ledger.inbound.horizon()
    assert remembered(path) == set("cdefg")
    assert horizon == START + timedelta(seconds=1)


async def test_pruning_before_the_beginning_begins_nothing(ledger: Ledger) -> None:
    """The first reading of the history is yet to come."""
    await ledger.prune()
    assert await ledger.inbound.progress() is None


async def test_old_messages_are_forgotten(ledger: Ledger, clock: Clock) -> None:
    """First no receipt is waited for any more, then the message goes."""
    await add(ledger, "waiting", "accepted", "ended")
    await ledger.outbound.accept("accepted", SentMessage(provider_id="P"))
    await ledger.outbound.move("ended", FAILED)
    clock.advance(2 * DAY)
    await ledger.prune()
    assert ledger.tally.pending == 2
    clock.advance(2 * DAY)
    await ledger.prune()
    assert ledger.tally.pending == 1
    assert await ledger.outbound.open_deliveries(9) == []
    # A receipt that comes all the same is still told.
    assert await ledger.outbound.receive(receipt("P"))

    clock.advance(30 * DAY)
    await ledger.prune()
    assert {each.message_id for each in await ledger.outbound.untold()} == {"waiting"}
    assert ledger.tally == Tally(sent=1, failed=1, pending=1)


async def test_there_are_never_too_many_messages(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a bound the oldest that have ended go."""
    monkeypatch.setattr(ledger_module, "_MOST_OUTBOUND", 1)
    for number, message_id in enumerate("abc"):
        created_at = START + timedelta(seconds=number)
        message = outbound(message_id, created_at=created_at)
        await ledger.outbound.add([message], LATER)
    for message_id in "bc":
        await ledger.outbound.move(message_id, FAILED)
    await ledger.prune()

    left = {each.message_id for each in await ledger.outbound.untold()}
    assert left == {"a", "c"}


async def test_a_receipt_for_nobody_is_kept_for_an_hour(
    ledger: Ledger, clock: Clock
) -> None:
    """By then the answer to its message has come, or never will."""
    await add(ledger, "m", "n")
    await ledger.outbound.receive(receipt("P"))
    clock.advance(3000)
    await ledger.prune()
    await ledger.outbound.receive(receipt("Q"))
    clock.advance(3000)
    await ledger.prune()

    assert await ledger.outbound.accept("m", SentMessage(provider_id="P")) == []
    assert len(await ledger.outbound.accept("n", SentMessage(provider_id="Q"))) == 1


# What it costs


async def test_what_is_over_costs_nothing(ledger: Ledger) -> None:
    """What is asked often takes no more steps for thousands of closed messages."""
    connection = ledger._journal._connection
    assert connection is not None
    await add(ledger, "a")
    await ledger.outbound.accept("a", SentMessage(provider_id="a"))

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
        ledger.outbound.due,
        ledger.outbound.next_due,
        ledger.outbound.recover,
        lambda: ledger.outbound.open_deliveries(20),
        lambda: ledger.inbound.known(["a"]),
        ledger.inbound.untold,
        ledger.examine,
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
