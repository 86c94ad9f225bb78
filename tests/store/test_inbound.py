"""What came in is known for ever, and what cannot be read is not forgotten."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from custom_components.virtual_sms.adapters.models import SetAside, SetAsideReason
from custom_components.virtual_sms.store.inbound import UNPUBLISHED, Bounds
from custom_components.virtual_sms.store.store import RETENTION, Store
from tests.fakes import START, Clock, inbound, open_store

from .test_store import admit, remembered

INCOMPLETE, UNREADABLE = SetAsideReason.INCOMPLETE, SetAsideReason.UNREADABLE


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


def aside(
    record_id: str,
    reason: SetAsideReason = UNREADABLE,
    at: datetime | None = None,
) -> SetAside:
    """Make a record that cannot be taken."""
    return SetAside(record_id=record_id, reason=reason, at=at)


async def test_what_is_unpublished_is_found_in_one_walk(store: Store) -> None:
    """A start looks through the rows as they lie, and at none by way of an index."""
    rows = await store.inbound._run(
        lambda connection: connection.execute(
            f"EXPLAIN QUERY PLAN {UNPUBLISHED}"
        ).fetchall()
    )
    assert next(row["detail"] for row in rows) == "SCAN inbound"


# What is set aside


async def test_what_cannot_be_read_is_set_aside(store: Store, clock: Clock) -> None:
    """It is listed since it was first seen, until it is taken, and by whatever way."""
    later = START + timedelta(hours=1)
    await admit(store, inbound("known"))
    records = [aside("a", INCOMPLETE), aside("known"), aside("b")]
    rows = await store.inbound.set_aside(records, START)
    assert [(row.record_id, row.since) for row in rows] == [("a", START), ("b", START)]
    assert [row.record_id for row in await store.inbound.list_set_aside()] == ["b"]

    (row,) = await store.inbound.set_aside([aside("a")], later)
    assert (row.reason, row.since) == (UNREADABLE, START)
    await admit(store, inbound("a"))
    (row,) = await store.inbound.list_set_aside()
    assert (row.record_id, row.reason, row.since) == ("b", UNREADABLE, START)
    await store.inbound.drop_set_aside(["b"])
    assert await store.inbound.list_waiting() == []


async def test_what_is_set_aside_is_forgotten_in_the_end(
    store: Store, clock: Clock
) -> None:
    """A record that no version ever learned to read is not kept for ever."""
    await store.inbound.begin([], START)
    await store.inbound.set_aside([aside("a")], START)
    clock.time = START + RETENTION + timedelta(days=1)
    await store.inbound.advance(clock.time)
    await store.prune()
    assert await store.inbound.list_set_aside() == []
    assert await store.inbound.known(["a"]) == {"a"}


async def test_what_was_forgotten_is_known_again(store: Store, clock: Clock) -> None:
    """Who recorded a callback and sends it again after 201 days is not believed."""
    await store.inbound.begin([], START)
    await admit(store, inbound("a"))
    await store.note_published(await store.inbound.unpublished())
    clock.time = START + RETENTION + timedelta(days=1)
    await store.inbound.advance(clock.time)
    await store.prune()

    again = inbound("a", at=(clock.time - START).total_seconds())
    assert await admit(store, again, inbound("new")) == ["new"]
    assert await store.inbound.known(["a", "b"]) == {"a"}


@pytest.mark.parametrize(
    ("home", "provider"),
    [(400, 1), (1, 400), (400, 0)],
    ids=["the home runs ahead", "the provider does", "nothing was read since"],
)
async def test_one_wrong_clock_makes_nothing_old(
    store: Store, clock: Clock, path: Path, home: int, provider: int
) -> None:
    """What is forgotten too early would be news again, or hide what is news."""
    await store.inbound.begin([], START)
    await admit(store, inbound("a"))
    await store.note_published(await store.inbound.unpublished())
    clock.time = START + timedelta(days=home)
    await store.inbound.advance(START + timedelta(days=provider))
    await store.prune()
    assert remembered(path) == {"a"}
    assert await store.inbound.horizon() == START


async def test_bounds_are_taken_back(store: Store) -> None:
    """Only what lies beyond: a correction brings nothing forward."""
    await store.inbound.begin([aside("old"), aside("older", at=START)], START)
    assert await store.inbound.known(["old", "older"]) == {"old", "older"}
    early, late = START - timedelta(days=1), START + timedelta(days=1)
    await store.inbound.correct(Bounds(horizon=early, progress=late))
    bounds = Bounds(horizon=early, progress=START)
    assert await store.inbound.bounds() == bounds


async def test_a_store_says_that_it_was_begun_anew(store: Store) -> None:
    """Then the ids of earlier messages are not in it."""
    assert not await store.inbound.is_begun_anew()
    await store._database.run(
        lambda connection: (
            connection.execute("INSERT INTO fact VALUES ('begun_anew', 1)").rowcount
        )
    )
    assert await store.inbound.is_begun_anew()
