"""What came in is known for ever, and what cannot be read is not forgotten."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from custom_components.virtual_sms.adapters.models import SetAside, SetAsideReason
from custom_components.virtual_sms.store.inbound import Bounds
from custom_components.virtual_sms.store.store import RETENTION, Ledger
from tests.fakes import START, Clock, inbound, open_ledger

from .test_store import admit, remembered

INCOMPLETE, UNREADABLE = SetAsideReason.INCOMPLETE, SetAsideReason.UNREADABLE


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


def aside(
    record_id: str,
    reason: SetAsideReason = UNREADABLE,
    at: datetime | None = None,
) -> SetAside:
    """Make a record that cannot be taken."""
    return SetAside(record_id=record_id, reason=reason, at=at)


# What is set aside


async def test_what_cannot_be_read_is_set_aside(ledger: Ledger, clock: Clock) -> None:
    """It is listed since it was first seen, until it is taken, and by whatever way."""
    later = START + timedelta(hours=1)
    await admit(ledger, inbound("known"))
    records = [aside("a", INCOMPLETE), aside("known"), aside("b")]
    rows = await ledger.inbound.set_aside(records, START)
    assert [(row.record_id, row.since) for row in rows] == [("a", START), ("b", START)]
    assert [row.record_id for row in await ledger.inbound.list_set_aside()] == ["b"]

    (row,) = await ledger.inbound.set_aside([aside("a")], later)
    assert (row.reason, row.since) == (UNREADABLE, START)
    await admit(ledger, inbound("a"))
    (row,) = await ledger.inbound.list_set_aside()
    assert (row.record_id, row.reason, row.since) == ("b", UNREADABLE, START)
    await ledger.inbound.drop_set_aside(["b"])
    assert await ledger.inbound.list_waiting() == []


async def test_what_is_set_aside_is_forgotten_in_the_end(
    ledger: Ledger, clock: Clock
) -> None:
    """A record that no version ever learned to read is not kept for ever."""
    await ledger.inbound.begin([], START)
    await ledger.inbound.set_aside([aside("a")], START)
    clock.time = START + RETENTION + timedelta(days=1)
    await ledger.inbound.advance(clock.time)
    await ledger.prune()
    assert await ledger.inbound.list_set_aside() == []
    assert await ledger.inbound.known(["a"]) == {"a"}


async def test_what_was_forgotten_is_known_again(ledger: Ledger, clock: Clock) -> None:
    """Who recorded a callback and sends it again after 201 days is not believed."""
    await ledger.inbound.begin([], START)
    await admit(ledger, inbound("a"))
    await ledger.told(await ledger.inbound.untold())
    clock.time = START + RETENTION + timedelta(days=1)
    await ledger.inbound.advance(clock.time)
    await ledger.prune()

    again = inbound("a", at=(clock.time - START).total_seconds())
    assert await admit(ledger, again, inbound("new")) == ["new"]
    assert await ledger.inbound.known(["a", "b"]) == {"a"}


@pytest.mark.parametrize(
    ("home", "provider"),
    [(400, 1), (1, 400), (400, 0)],
    ids=["the home runs ahead", "the provider does", "nothing was read since"],
)
async def test_one_wrong_clock_makes_nothing_old(
    ledger: Ledger, clock: Clock, path: Path, home: int, provider: int
) -> None:
    """What is forgotten too early would be news again, or hide what is news."""
    await ledger.inbound.begin([], START)
    await admit(ledger, inbound("a"))
    await ledger.told(await ledger.inbound.untold())
    clock.time = START + timedelta(days=home)
    await ledger.inbound.advance(START + timedelta(days=provider))
    await ledger.prune()
    assert remembered(path) == {"a"}
    assert await ledger.inbound.horizon() == START


async def test_bounds_are_taken_back(ledger: Ledger) -> None:
    """Only what lies beyond: a correction brings nothing forward."""
    await ledger.inbound.begin([aside("old"), aside("older", at=START)], START)
    assert await ledger.inbound.known(["old", "older"]) == {"old", "older"}
    early, late = START - timedelta(days=1), START + timedelta(days=1)
    await ledger.inbound.correct(Bounds(horizon=early, progress=late))
    bounds = Bounds(horizon=early, progress=START)
    assert await ledger.inbound.bounds() == bounds


async def test_a_store_says_that_it_was_begun_anew(ledger: Ledger) -> None:
    """Then the ids of earlier messages are not in it."""
    assert not await ledger.inbound.is_begun_anew()
    await ledger._journal.run(
        lambda connection: (
            connection.execute("INSERT INTO fact VALUES ('begun_anew', 1)").rowcount
        )
    )
    assert await ledger.inbound.is_begun_anew()
