"""What is news is told in order, once Home Assistant listens, and noted as told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
import sqlite3
from typing import Any

import pytest

from custom_components.virtual_sms.adapters.models import DeliveryStatus, SentMessage
from custom_components.virtual_sms.core.publisher import AT_ONCE, IN_FLIGHT, Announcer
from custom_components.virtual_sms.store.changes import (
    Announcement,
    Received,
    StatusChanged,
)
from custom_components.virtual_sms.store.database import PATIENCE
from custom_components.virtual_sms.store.store import Ledger
from tests.fakes import (
    START,
    Clock,
    come_to_rest,
    inbound,
    open_ledger,
    outbound,
    receipt,
)


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


@pytest.fixture
async def ledger(tmp_path: Path, clock: Clock) -> AsyncIterator[Ledger]:
    """Open an empty ledger."""
    ledger = await open_ledger(tmp_path / "ledger.db", clock)
    yield ledger
    await ledger.close()


@pytest.fixture
def heard() -> list[Announcement]:
    """Listen."""
    return []


@pytest.fixture
async def announcer(ledger: Ledger, heard: list[Announcement]) -> Announcer:
    """Get ready to tell."""
    announcer = Announcer(ledger, heard.append)
    await announcer.load()
    return announcer


def names(heard: list[Announcement]) -> list[str]:
    """Name what was heard: an inbound id, or a status."""
    return [
        each.message.message_id if isinstance(each, Received) else str(each.status)
        for each in heard
    ]


async def test_nothing_is_told_before_the_start(
    ledger: Ledger, announcer: Announcer, heard: list[Announcement]
) -> None:
    """What comes while Home Assistant starts waits, the oldest in front."""
    announcer.announce(await ledger.inbound.admit([inbound("b", at=2)], late=False))
    announcer.announce(await ledger.inbound.admit([inbound("a", at=1)], late=True))
    announcer.announce(await ledger.outbound.add([outbound("m")], START))
    assert heard == []

    announcer.start()
    assert names(heard) == ["queued", "a", "b"]
    assert [each.late for each in heard[1:] if isinstance(each, Received)] == [
        True,
        False,
    ]
    await come_to_rest(ledger, announcer)


async def test_what_is_told_is_noted(
    ledger: Ledger, announcer: Announcer, heard: list[Announcement]
) -> None:
    """After the note a new start has nothing to tell."""
    announcer.start()
    announcer.announce(await ledger.inbound.admit([inbound("a")], late=False))
    announcer.announce(await ledger.outbound.add([outbound("m")], START))
    await come_to_rest(ledger, announcer)
    assert names(heard) == ["a", "queued"]
    assert await ledger.inbound.untold() == []
    assert await ledger.outbound.untold() == []


async def test_what_a_crash_cut_short_is_told_late(
    ledger: Ledger, heard: list[Announcement]
) -> None:
    """A new start tells what the last one knew and did not tell."""
    await ledger.inbound.admit([inbound("a", at=9)], late=False)
    await ledger.told(await ledger.outbound.add([outbound("m")], START))
    await ledger.outbound.accept("m", SentMessage(provider_id="P"))
    await ledger.outbound.receive(receipt("P"))
    announcer = Announcer(ledger, heard.append)
    await announcer.load()
    announcer.start()
    await come_to_rest(ledger, announcer)

    change, message = heard
    assert isinstance(message, Received)
    assert message.late
    assert isinstance(change, StatusChanged)
    assert (change.previous, change.status) == ("queued", "delivered")


async def test_held_states_keep_their_order(
    ledger: Ledger, announcer: Announcer, heard: list[Announcement], clock: Clock
) -> None:
    """Also when the provider's clock is behind ours, or rounds."""
    announcer.announce(await ledger.outbound.add([outbound("m")], START))
    sent = SentMessage(provider_id="P")
    announcer.announce(await ledger.outbound.accept("m", sent))
    for status in (DeliveryStatus.SENT, DeliveryStatus.DELIVERED):
        early = receipt("P", status, at=START - timedelta(hours=1))
        change = await ledger.outbound.receive(early)
        assert change
        announcer.announce([change])
    announcer.start()
    await come_to_rest(ledger, announcer)

    assert names(heard) == ["queued", "sent", "delivered"]
    assert await ledger.outbound.untold() == []


async def test_few_are_told_before_they_are_noted(
    ledger: Ledger, announcer: Announcer, heard: list[Announcement]
) -> None:
    """A crash in a burst can repeat no more than a few, and loses none."""
    messages = [inbound(f"{number:03}", at=number) for number in range(200)]
    news = await ledger.inbound.admit(messages, late=False)
    announcer.start()
    announcer.announce(news[:150])
    announcer.announce(news[150:])
    steps = 0
    while announcer._unnoted:
        untold = {each.message.message_id for each in await ledger.inbound.untold()}
        assert len(untold & set(names(heard))) <= IN_FLIGHT
        steps += 1
    assert names(heard) == [each.message_id for each in messages]
    assert steps > 3


async def test_the_rest_of_the_home_has_its_turn(
    ledger: Ledger, announcer: Announcer, heard: list[Announcement]
) -> None:
    """However much there is to tell, the event loop is never kept for long."""
    messages = [inbound(f"{number:03}") for number in range(200)]
    announcer.announce(await ledger.inbound.admit(messages, late=False))
    announcer.start()
    assert len(heard) == AT_ONCE
    await come_to_rest(ledger, announcer)
    assert names(heard) == [each.message_id for each in messages]


async def test_a_burst_does_not_wait_for_company(
    ledger: Ledger, announcer: Announcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps others from being told is noted at once, the rest when it suits."""
    patiences: list[float] = []
    told = ledger.told

    def note(announcements: Sequence[Announcement], patience: float) -> Any:
        patiences.append(patience)
        return told(announcements, patience)

    monkeypatch.setattr(ledger, "told", note)
    messages = [inbound(f"{number:03}") for number in range(IN_FLIGHT + 1)]
    announcer.start()
    announcer.announce(await ledger.inbound.admit(messages, late=False))
    await come_to_rest(ledger, announcer)
    assert patiences == [*[0] * (IN_FLIGHT // AT_ONCE), PATIENCE]


async def test_what_was_not_told_waits_for_the_next_run(
    ledger: Ledger, announcer: Announcer, heard: list[Announcement]
) -> None:
    """Stopping in a burst keeps what was not told, and what was is noted."""
    messages = [inbound(f"{number:03}", at=number) for number in range(100)]
    announcer.announce(await ledger.inbound.admit(messages, late=False))
    announcer.start()
    announcer.stop()
    await come_to_rest(ledger, announcer)
    assert names(heard) == [each.message_id for each in messages[:AT_ONCE]]

    again = Announcer(ledger, heard.append)
    await again.load()
    again.start()
    await come_to_rest(ledger, again)
    assert names(heard) == [each.message_id for each in messages]


async def test_what_was_told_last_is_noted_by_closing(
    ledger: Ledger, announcer: Announcer, tmp_path: Path, clock: Clock
) -> None:
    """A note that waits for company does not wait for ever."""
    announcer.start()
    announcer.announce(await ledger.inbound.admit([inbound("a")], late=False))
    announcer.stop()
    await ledger.close()
    again = await open_ledger(tmp_path / "ledger.db", clock)
    assert await again.inbound.untold() == []
    await again.close()


async def test_what_is_told_during_a_note_is_noted_next(
    ledger: Ledger, announcer: Announcer
) -> None:
    """Nothing falls between two notes."""
    announcer.start()
    announcer.announce(await ledger.inbound.admit([inbound("a")], late=False))
    await asyncio.sleep(0)
    announcer.announce(await ledger.inbound.admit([inbound("b")], late=False))
    await come_to_rest(ledger, announcer)
    assert await ledger.inbound.untold() == []


async def test_a_failing_note_is_made_up_for(
    ledger: Ledger,
    announcer: Announcer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A disk that failed for a moment must not make a new start repeat itself."""
    announcer.start()
    told = ledger.told

    def fail(*_: object) -> asyncio.Future[None]:
        note = asyncio.get_running_loop().create_future()
        note.set_exception(sqlite3.OperationalError("disk I/O error"))
        return note

    monkeypatch.setattr(ledger, "told", fail)
    announcer.announce(await ledger.inbound.admit([inbound("a")], late=False))
    announcer.announce(await ledger.outbound.add([outbound("m")], START))
    await come_to_rest(ledger, announcer)
    assert "cannot be written" in caplog.text
    assert len(await ledger.outbound.untold()) == 1

    monkeypatch.setattr(ledger, "told", told)
    announcer.announce(await ledger.inbound.admit([inbound("b")], late=False))
    await come_to_rest(ledger, announcer)
    assert await ledger.inbound.untold() == []
    assert await ledger.outbound.untold() == []


async def test_there_may_be_nothing_to_tell(
    announcer: Announcer, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    """Then nothing is noted either."""
    monkeypatch.delattr(Ledger, "told")
    announcer.start()
    announcer.announce([])
    await come_to_rest(ledger, announcer)


async def test_who_hears_it_may_answer_at_once(
    ledger: Ledger, heard: list[Announcement]
) -> None:
    """What an announcement brings about is told after it, and noted as well."""
    answers = await ledger.outbound.add([outbound("m")], START)

    def hear(announcement: Announcement) -> None:
        heard.append(announcement)
        if isinstance(announcement, Received):
            announcer.announce(answers)

    announcer = Announcer(ledger, hear)
    announcer.start()
    announcer.announce(
        await ledger.inbound.admit([inbound("a", at=1), inbound("b", at=2)], late=False)
    )
    await come_to_rest(ledger, announcer)
    assert names(heard) == ["a", "b", "queued", "queued"]
    assert await ledger.inbound.untold() == []
    assert await ledger.outbound.untold() == []


async def test_who_fails_to_hear_does_not_silence_the_rest(
    ledger: Ledger, heard: list[Announcement]
) -> None:
    """What comes next is told all the same."""

    def hear(announcement: Announcement) -> None:
        if not heard:
            heard.append(announcement)
            raise ZeroDivisionError
        heard.append(announcement)

    announcer = Announcer(ledger, hear)
    announcer.start()
    news = await ledger.inbound.admit(
        [inbound("a", at=1), inbound("b", at=2)], late=False
    )
    with pytest.raises(ZeroDivisionError):
        announcer.announce(news)
    await come_to_rest(ledger, announcer)
    assert names(heard) == ["a", "b"]
