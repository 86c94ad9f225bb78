"""What is news is told in order, once Home Assistant listens, and noted as told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
import sqlite3
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.virtual_sms.adapters.models import DeliveryStatus, SentMessage
from custom_components.virtual_sms.core.publisher import (
    AT_ONCE,
    IN_FLIGHT,
    LONGEST_TURN,
    Publisher,
)
from custom_components.virtual_sms.store.changes import (
    Change,
    Received,
    StatusChanged,
)
from custom_components.virtual_sms.store.database import FLUSH_DELAY
from custom_components.virtual_sms.store.store import Store
from tests.fakes import (
    START,
    Clock,
    come_to_rest,
    inbound,
    open_store,
    outbound,
    receipt,
)


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


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
async def publisher(store: Store, heard: list[Change]) -> Publisher:
    """Get ready to tell."""
    publisher = Publisher(store, heard.append, monotonic=lambda: 0.0)
    await publisher.load()
    return publisher


def names(heard: list[Change]) -> list[str]:
    """Name what was heard: an inbound id, or a status."""
    return [
        each.message.message_id if isinstance(each, Received) else str(each.status)
        for each in heard
    ]


async def test_nothing_is_told_before_the_start(
    store: Store, publisher: Publisher, heard: list[Change]
) -> None:
    """What comes while Home Assistant starts waits, the oldest in front."""
    publisher.publish(await store.inbound.admit([inbound("b", at=2)], late=False))
    publisher.publish(await store.inbound.admit([inbound("a", at=1)], late=True))
    publisher.publish(await store.outbound.add([outbound("m")], START))
    assert heard == []

    publisher.start()
    assert names(heard) == ["queued", "a", "b"]
    assert [each.late for each in heard[1:] if isinstance(each, Received)] == [
        True,
        False,
    ]
    await come_to_rest(store, publisher)


async def test_what_is_told_is_noted(
    store: Store, publisher: Publisher, heard: list[Change]
) -> None:
    """After the note a new start has nothing to tell."""
    publisher.start()
    publisher.publish(await store.inbound.admit([inbound("a")], late=False))
    publisher.publish(await store.outbound.add([outbound("m")], START))
    await come_to_rest(store, publisher)
    assert names(heard) == ["a", "queued"]
    assert await store.inbound.unpublished() == []
    assert await store.outbound.unpublished() == []


async def test_what_a_crash_cut_short_is_told_late(
    store: Store, heard: list[Change]
) -> None:
    """A new start tells what the last one knew and did not tell."""
    await store.inbound.admit([inbound("a", at=9)], late=False)
    await store.note_published(await store.outbound.add([outbound("m")], START))
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    await store.outbound.receive(receipt("P"))
    publisher = Publisher(store, heard.append)
    await publisher.load()
    publisher.start()
    await come_to_rest(store, publisher)

    change, message = heard
    assert isinstance(message, Received)
    assert message.late
    assert isinstance(change, StatusChanged)
    assert (change.previous, change.status) == ("queued", "delivered")


async def test_held_states_keep_their_order(
    store: Store, publisher: Publisher, heard: list[Change], clock: Clock
) -> None:
    """Also when the provider's clock is behind ours, or rounds."""
    publisher.publish(await store.outbound.add([outbound("m")], START))
    sent = SentMessage(provider_id="P")
    publisher.publish(await store.outbound.accept("m", sent))
    for status in (DeliveryStatus.SENT, DeliveryStatus.DELIVERED):
        early = receipt("P", status, at=START - timedelta(hours=1))
        change = await store.outbound.receive(early)
        assert change
        publisher.publish([change])
    publisher.start()
    await come_to_rest(store, publisher)

    assert names(heard) == ["queued", "sent", "delivered"]
    assert await store.outbound.unpublished() == []


async def test_few_are_told_before_they_are_noted(
    store: Store, publisher: Publisher, heard: list[Change]
) -> None:
    """A crash in a burst can repeat no more than a few, and loses none."""
    messages = [inbound(f"{number:03}", at=number) for number in range(200)]
    news = await store.inbound.admit(messages, late=False)
    publisher.start()
    publisher.publish(news[:150])
    publisher.publish(news[150:])
    steps = 0
    while publisher._unnoted:
        unpublished = {
            each.message.message_id for each in await store.inbound.unpublished()
        }
        assert len(unpublished & set(names(heard))) <= IN_FLIGHT
        steps += 1
    assert names(heard) == [each.message_id for each in messages]
    assert steps > 3


async def test_the_rest_of_the_home_has_its_turn(
    store: Store, publisher: Publisher, heard: list[Change]
) -> None:
    """However much there is to tell, the event loop is never kept for long."""
    messages = [inbound(f"{number:03}") for number in range(200)]
    publisher.publish(await store.inbound.admit(messages, late=False))
    publisher.start()
    assert len(heard) == AT_ONCE
    await come_to_rest(store, publisher)
    assert names(heard) == [each.message_id for each in messages]


async def test_one_turn_at_a_time(
    store: Store, publisher: Publisher, heard: list[Change]
) -> None:
    """Each round of the event loop publishes once, however many notes come back."""
    messages = [inbound(f"{number:03}") for number in range(100)]
    publisher.publish(await store.inbound.admit(messages, late=False))
    publisher.start()
    known = len(heard)
    while len(heard) < len(messages):
        await asyncio.sleep(0)
        assert len(heard) <= known + AT_ONCE
        known = len(heard)


async def test_what_takes_long_to_tell_is_told_one_by_one(
    store: Store, heard: list[Change]
) -> None:
    """On a slow machine the home has its turn after each message."""
    time = 0.0

    def hear(change: Change) -> None:
        nonlocal time
        time += LONGEST_TURN
        heard.append(change)

    publisher = Publisher(store, hear, monotonic=lambda: time)
    messages = [inbound(f"{number:03}") for number in range(20)]
    publisher.publish(await store.inbound.admit(messages, late=False))
    publisher.start()
    assert len(heard) == 1
    await asyncio.sleep(0)
    assert len(heard) == 2
    await come_to_rest(store, publisher)
    assert names(heard) == [each.message_id for each in messages]


async def test_a_burst_does_not_wait_for_company(
    store: Store, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps others from being told is noted at once, the rest when it suits."""
    patiences: list[float] = []
    told = store.note_published

    def note(changes: Sequence[Change], patience: float) -> Any:
        patiences.append(patience)
        return told(changes, patience)

    monkeypatch.setattr(store, "note_published", note)
    messages = [inbound(f"{number:03}") for number in range(IN_FLIGHT + 1)]
    publisher.start()
    publisher.publish(await store.inbound.admit(messages, late=False))
    await come_to_rest(store, publisher)
    assert patiences == [*[0] * (IN_FLIGHT // AT_ONCE), FLUSH_DELAY]


async def test_what_was_not_told_waits_for_the_next_run(
    store: Store, publisher: Publisher, heard: list[Change]
) -> None:
    """Stopping in a burst keeps what was not told, and what was is noted."""
    messages = [inbound(f"{number:03}", at=number) for number in range(100)]
    publisher.publish(await store.inbound.admit(messages, late=False))
    publisher.start()
    publisher.stop()
    await come_to_rest(store, publisher)
    assert names(heard) == [each.message_id for each in messages[:AT_ONCE]]

    again = Publisher(store, heard.append)
    await again.load()
    again.start()
    await come_to_rest(store, again)
    assert names(heard) == [each.message_id for each in messages]


async def test_what_was_told_last_is_noted_by_closing(
    store: Store, publisher: Publisher, tmp_path: Path, clock: Clock
) -> None:
    """A note that waits for company does not wait for ever."""
    publisher.start()
    publisher.publish(await store.inbound.admit([inbound("a")], late=False))
    publisher.stop()
    await store.close()
    again = await open_store(tmp_path / "store.db", clock)
    assert await again.inbound.unpublished() == []
    await again.close()


async def test_what_is_told_during_a_note_is_noted_next(
    store: Store, publisher: Publisher
) -> None:
    """Nothing falls between two notes."""
    publisher.start()
    publisher.publish(await store.inbound.admit([inbound("a")], late=False))
    await asyncio.sleep(0)
    publisher.publish(await store.inbound.admit([inbound("b")], late=False))
    await come_to_rest(store, publisher)
    assert await store.inbound.unpublished() == []


async def test_a_failing_note_is_made_up_for(
    store: Store,
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A disk that failed for a moment must not make a new start repeat itself."""
    publisher.start()
    told = store.note_published

    def fail(*_: object) -> asyncio.Future[None]:
        note = asyncio.get_running_loop().create_future()
        note.set_exception(sqlite3.OperationalError("disk I/O error"))
        return note

    monkeypatch.setattr(store, "note_published", fail)
    publisher.publish(await store.inbound.admit([inbound("a")], late=False))
    publisher.publish(await store.outbound.add([outbound("m")], START))
    await come_to_rest(store, publisher)
    assert "cannot be written" in caplog.text
    assert len(await store.outbound.unpublished()) == 1

    monkeypatch.setattr(store, "note_published", told)
    publisher.publish(await store.inbound.admit([inbound("b")], late=False))
    await come_to_rest(store, publisher)
    assert await store.inbound.unpublished() == []
    assert await store.outbound.unpublished() == []


async def test_there_may_be_nothing_to_tell(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    """Then nothing is noted either."""
    monkeypatch.delattr(Store, "note_published")
    publisher.start()
    publisher.publish([])
    await come_to_rest(store, publisher)


async def test_who_hears_it_may_answer_at_once(
    store: Store, heard: list[Change]
) -> None:
    """What a change brings about is told after it, and noted as well."""
    answers = await store.outbound.add([outbound("m")], START)

    def hear(change: Change) -> None:
        heard.append(change)
        if isinstance(change, Received):
            publisher.publish(answers)

    publisher = Publisher(store, hear)
    publisher.start()
    publisher.publish(
        await store.inbound.admit([inbound("a", at=1), inbound("b", at=2)], late=False)
    )
    await come_to_rest(store, publisher)
    assert names(heard) == ["a", "b", "queued", "queued"]
    assert await store.inbound.unpublished() == []
    assert await store.outbound.unpublished() == []


async def test_who_fails_to_hear_does_not_silence_the_rest(
    store: Store, heard: list[Change]
) -> None:
    """What comes next is told all the same."""

    def hear(change: Change) -> None:
        if not heard:
            heard.append(change)
            raise ZeroDivisionError
        heard.append(change)

    publisher = Publisher(store, hear)
    publisher.start()
    news = await store.inbound.admit(
        [inbound("a", at=1), inbound("b", at=2)], late=False
    )
    with pytest.raises(ZeroDivisionError):
        publisher.publish(news)
    await come_to_rest(store, publisher)
    assert names(heard) == ["a", "b"]


async def test_what_follows_is_on_disk_first(tmp_path: Path) -> None:
    """Changes are noted as published once what they led to is written, and not before."""
    store = await open_store(tmp_path / "store.db", Clock())
    pending: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    heard: list[Change] = []
    publisher = Publisher(store, heard.append, lambda: pending)
    publisher.start()
    publisher.publish(await store.inbound.admit([inbound("m")], late=False))
    await store.examine()
    await asyncio.sleep(0.02)
    assert len(heard) == 1
    assert len(await store.inbound.unpublished()) == 1
    pending.set_result([None])
    await come_to_rest(store, publisher)
    assert await store.inbound.unpublished() == []
    await store.close()


async def test_a_store_that_closes_before_that(tmp_path: Path) -> None:
    """What cannot be noted any more is published again by the next run."""
    store = await open_store(tmp_path / "store.db", Clock())
    pending: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    publisher = Publisher(store, lambda _: None, lambda: pending)
    publisher.start()
    publisher.publish(await store.inbound.admit([inbound("m")], late=False))
    await store.close()
    pending.set_result([None])
    await asyncio.sleep(0)
    store = await open_store(tmp_path / "store.db", Clock())
    assert len(await store.inbound.unpublished()) == 1
    await store.close()


async def test_notes_keep_their_order(tmp_path: Path) -> None:
    """What is told while a note is held up is noted after it, and waits for its own."""
    store = await open_store(tmp_path / "store.db", Clock())
    loop = asyncio.get_running_loop()
    first: asyncio.Future[Any] = loop.create_future()
    second: asyncio.Future[Any] = loop.create_future()
    pending = [first, second]
    publisher = Publisher(
        store, lambda _: None, lambda: pending.pop(0) if pending else None
    )
    publisher.start()
    publisher.publish(await store.outbound.add([outbound("m")], START))
    publisher.publish(await store.outbound.accept("m", SentMessage(provider_id="P")))
    change = await store.outbound.receive(receipt("P", DeliveryStatus.DELIVERED))
    assert change is not None
    publisher.publish([change])
    first.set_result([None])
    await asyncio.sleep(0.02)
    await store.examine()
    assert [each.status for each in await store.outbound.unpublished()] == ["delivered"]
    second.set_result([None])
    await come_to_rest(store, publisher)
    assert await store.outbound.unpublished() == []
    await store.close()


@pytest.mark.parametrize("ends", [True, False])
async def test_a_line_that_closes_notes_what_it_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    """A reload publishes nothing again; it waits for what follows, but not for ever."""
    monkeypatch.setattr(
        "custom_components.virtual_sms.core.publisher.LONGEST_HOLD", 0.1
    )
    store = await open_store(tmp_path / "store.db", Clock())
    loop = asyncio.get_running_loop()
    pending: list[asyncio.Future[Any]] = [loop.create_future() for _ in range(2)]
    left = list(pending)
    publisher = Publisher(store, lambda _: None, lambda: left.pop(0) if left else None)
    publisher.start()
    for name in "ab":
        publisher.publish(await store.inbound.admit([inbound(name)], late=False))
    publisher.stop()
    finishing = asyncio.create_task(publisher.finish())
    await asyncio.sleep(0.01)
    assert not finishing.done()
    for each in pending if ends else []:
        each.set_result([None])
        await asyncio.sleep(0)
    await finishing
    await store.close()
    store = await open_store(tmp_path / "store.db", Clock())
    assert len(await store.inbound.unpublished()) == (0 if ends else 2)
    await store.close()


async def test_a_line_that_closes_notes_what_it_could_not_before(
    tmp_path: Path,
) -> None:
    """What a full disk kept from being noted is noted when there is room again."""
    store = await open_store(tmp_path / "store.db", Clock())
    publisher = Publisher(store, lambda _: None)
    publisher.start()
    news = await store.inbound.admit([inbound("m")], late=False)
    full = asyncio.get_running_loop().create_future()
    full.set_exception(sqlite3.OperationalError("disk full"))
    with patch.object(store, "note_published", return_value=full):
        publisher.publish(news)
        await asyncio.sleep(0)
    publisher.stop()
    await publisher.finish()
    await store.close()
    store = await open_store(tmp_path / "store.db", Clock())
    assert await store.inbound.unpublished() == []
    await store.close()


async def test_whoever_waits_until_all_is_published(
    store: Store, publisher: Publisher, heard: list[Change]
) -> None:
    """The wait ends with the last of what is known, however much that is."""
    many = [inbound(str(number), at=number) for number in range(3 * IN_FLIGHT)]
    publisher.publish(await store.inbound.admit(many, late=True))
    waiting = asyncio.create_task(publisher.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    publisher.start()
    await waiting
    assert len(heard) == len(many)
    await publisher.wait()
    await come_to_rest(store, publisher)
