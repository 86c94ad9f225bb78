"""What a home remembers over restarts, besides its numbers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from custom_components.virtual_sms.store.clock_offset import ClockNotes
from custom_components.virtual_sms.store.database import Database, DatabaseClosedError
from custom_components.virtual_sms.store.home import HOME_MIGRATIONS, HomeStore, Kind
from tests.fakes import START, Clock, run_inline


@pytest.fixture
def clock() -> Clock:
    """Have a clock that is turned by hand."""
    return Clock()


async def open_home(path: Path, clock: Clock) -> HomeStore:
    """Open the file as a new start of Home Assistant does."""
    database = Database(path, HOME_MIGRATIONS, run_inline)
    store = HomeStore(database, clock, clock.monotonic)
    await store.open()
    return store


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[HomeStore]:
    """Open an empty file."""
    store = await open_home(tmp_path / "home.db", clock)
    yield store
    await store.close()


async def test_over_a_restart(store: HomeStore, tmp_path: Path, clock: Clock) -> None:
    """What was saved last is there again, the oldest first; what was deleted is not."""
    await store.save(Kind.QUESTION, "a", "one")
    clock.advance(1)
    await store.save(Kind.QUESTION, "b", "two")
    await store.save(Kind.QUESTION, "c", "three")
    await store.save(Kind.ALERT, "a", "alert")
    clock.advance(1)
    await store.save(Kind.QUESTION, "a", "one, later")
    await store.delete(Kind.QUESTION, "c")
    await store.close()
    again = await open_home(tmp_path / "home.db", clock)
    assert await again.load(Kind.QUESTION) == ["two", "one, later"]
    assert await again.load(Kind.ALERT) == ["alert"]
    await again.close()


async def test_closed(store: HomeStore) -> None:
    """Nothing is written to a closed file."""
    await store.close()
    with pytest.raises(DatabaseClosedError):
        store.save(Kind.ALERT, "a", "alert")


async def test_erased(store: HomeStore, tmp_path: Path) -> None:
    """Nothing is left on disk."""
    await store.save(Kind.ALERT, "a", "alert")
    await store.erase()
    assert not list(tmp_path.iterdir())


async def test_a_clock_that_steps(
    store: HomeStore, tmp_path: Path, clock: Clock
) -> None:
    """A wall clock that is put right brings no deadline nearer, over a restart either."""
    clock.step(7200)
    clock.advance(60)
    assert store.clock.now() == START + timedelta(seconds=60)
    await store.save(Kind.ALERT, "a", "alert")
    await store.close()
    clock.advance(60)
    again = await open_home(tmp_path / "home.db", clock)
    assert again.clock.now() == START + timedelta(seconds=120)
    await again.close()


async def test_a_clock_that_was_put_back(
    store: HomeStore, tmp_path: Path, clock: Clock
) -> None:
    """Times that are stored do not come again."""
    clock.advance(60)
    await store.save(Kind.QUESTION, "a", "one")
    await store.close()
    clock.step(-3600)
    again = await open_home(tmp_path / "home.db", clock)
    assert again.clock.now() == START + timedelta(seconds=60)
    await again.close()


async def test_a_start_that_fails_leaves_nothing_open(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is closed again, and the next start can open it."""
    database = Database(tmp_path / "home.db", HOME_MIGRATIONS, run_inline)
    store = HomeStore(database, clock, clock.monotonic)
    with monkeypatch.context() as broken:
        broken.setattr(ClockNotes, "begin", Mock(side_effect=OSError("broken")))
        with pytest.raises(OSError, match="broken"):
            await store.open()
    with pytest.raises(DatabaseClosedError):
        await store.load(Kind.QUESTION)
    store = await open_home(tmp_path / "home.db", clock)
    assert await store.load(Kind.QUESTION) == []
    await store.close()
