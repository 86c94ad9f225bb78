"""The home's own file: what becomes of a write when it is closed, or given up."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import sqlite3
from typing import TYPE_CHECKING
from unittest.mock import Mock, patch

from homeassistant.components.repairs import ConfirmRepairFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.home_file import (
    ISSUE_HOME_DAMAGED,
    HomeFile,
    _read_exception,
    async_is_written,
)
from custom_components.virtual_sms.repairs import async_create_fix_flow
from custom_components.virtual_sms.store import database_file
from custom_components.virtual_sms.store.database_file import (
    DatabaseFile,
    StorageFullError,
)
from custom_components.virtual_sms.store.home import Kind

from .furnish import furnish
from .home import RECIPIENT, settle

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


async def test_closed(hass: HomeAssistant) -> None:
    """A closed file takes nothing, says so, and raises nothing where nobody waits."""
    file = HomeFile(hass)
    assert await file.async_load(Kind.ALERT) == ()
    assert not await async_is_written(file.async_save(Kind.ALERT, "a", "alert"))
    file.async_delete(Kind.ALERT, "a")
    await asyncio.sleep(0)
    assert file.async_get_pending() is None


async def test_pending(hass: HomeAssistant) -> None:
    """What is being written is waited for, by all who ask."""
    file = HomeFile(hass)
    await asyncio.gather(file.async_open(), file.async_open())
    writing = file.async_save(Kind.ALERT, "a", "alert")
    pending = file.async_get_pending()
    assert pending is not None
    assert await pending == [None]
    assert await async_is_written(writing)
    assert file.async_get_pending() is None
    assert await file.async_load(Kind.ALERT) == ["alert"]
    file.async_delete(Kind.ALERT, "a")
    assert await file.async_load(Kind.ALERT) == []
    await file.async_erase()
    assert not file.path.exists()


async def test_a_disk_that_is_full_for_a_while(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """What it did not take is written once it does, as it was last."""
    file = HomeFile(hass)
    await file.async_open()
    with full_disk(file):
        for content in ("first", "last"):
            assert await async_is_written(file.async_save(Kind.ALERT, "a", content))
        for each in ("b", "c"):
            await async_is_written(file.async_save(Kind.ALERT, each, each))
        file.async_delete(Kind.ALERT, "b")
        with pytest.raises(HomeAssistantError):
            await file.async_store(Kind.ALERT, "refused", "refused")
        await pass_time(hass, freezer, file)
    assert await file.async_load(Kind.ALERT) == []
    await pass_time(hass, freezer, file)
    assert sorted(await file.async_load(Kind.ALERT)) == ["c", "last"]


async def test_a_write_that_is_taken_brings_the_others(hass: HomeAssistant) -> None:
    """Whatever is written next shows that there is room again."""
    file = HomeFile(hass)
    await file.async_open()
    with full_disk(file):
        await async_is_written(file.async_save(Kind.ALERT, "a", "taken"))
    await file.async_store(Kind.QUESTION, "q", "question")
    pending = file.async_get_pending()
    assert pending is not None
    await pending
    assert await file.async_load(Kind.ALERT) == ["taken"]


async def test_who_wants_it_ends_meanwhile(hass: HomeAssistant) -> None:
    """It is not there for a later run, which would begin it out of the blue."""
    file = HomeFile(hass)
    await file.async_open()
    storing = asyncio.create_task(file.async_store(Kind.ALERT, "a", "alert"))
    while not file._newest:
        await asyncio.sleep(0)
    storing.cancel()
    await asyncio.wait([storing])
    assert storing.cancelled()
    assert await file.async_load(Kind.ALERT) == []


async def test_a_disk_that_cannot_be_flushed(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused is not there for a later run, though it was written."""
    file = HomeFile(hass)
    await file.async_open()
    with monkeypatch.context() as patch:
        patch.setattr(database_file, "_sync", Mock(side_effect=OSError))
        with pytest.raises(HomeAssistantError):
            await file.async_store(Kind.ALERT, "a", "alert")
    assert await file.async_load(Kind.ALERT) == []


@contextmanager
def full_disk(file: HomeFile) -> Iterator[None]:
    """Have each write fail, as the disk would."""

    def fail(*_: object) -> asyncio.Future[None]:
        failed = asyncio.get_running_loop().create_future()
        failed.set_exception(sqlite3.OperationalError("database or disk is full"))
        return failed

    with patch.object(file._store, "save", fail):
        yield


async def pass_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, file: HomeFile
) -> None:
    """Let the pause pass after which the disk is tried again."""
    freezer.tick(31)
    async_fire_time_changed(hass)
    if pending := file.async_get_pending():
        await pending


async def test_given_up() -> None:
    """A write that nobody waits for any more complains to nobody."""
    writing = asyncio.get_running_loop().create_future()
    writing.cancel()
    _read_exception(writing)


async def test_a_damaged_file_is_shown(hass: HomeAssistant) -> None:
    """The repair says where the damaged file is, and goes with the last number."""
    file = HomeFile(hass)
    file.path.parent.mkdir(exist_ok=True)
    file.path.write_bytes(b"no database at all " * 100)
    await file.async_store(Kind.ALERT, "a", "alert")

    issue = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE_HOME_DAMAGED)
    assert issue is not None
    assert issue.is_persistent
    assert issue.translation_placeholders == {
        "file": ".storage/virtual_sms.home.damaged"
    }
    flow = await async_create_fix_flow(hass, ISSUE_HOME_DAMAGED, issue.data)
    assert isinstance(flow, ConfirmRepairFlow)
    assert await file.async_load(Kind.ALERT) == ["alert"]
    await file.async_erase()
    assert not ir.async_get(hass).issues
    assert not list(file.path.parent.glob(f"{DOMAIN}*"))


async def test_a_sound_file_shows_nothing(hass: HomeAssistant) -> None:
    """There is no repair of what needs none."""
    await HomeFile(hass).async_store(Kind.ALERT, "a", "alert")
    assert not ir.async_get(hass).issues


async def test_damage_while_running(hass: HomeAssistant) -> None:
    """A file that breaks in use is begun anew, with what it did not take any more."""
    file = HomeFile(hass)
    await file.async_store(Kind.ALERT, "a", "begun")
    with broken_disk():
        assert await async_is_written(file.async_save(Kind.ALERT, "a", "taken"))
        await until_begun_anew(file)
    assert await file.async_load(Kind.ALERT) == ["taken"]
    await hass.async_block_till_done()
    assert set(ir.async_get(hass).issues) == {(DOMAIN, ISSUE_HOME_DAMAGED)}
    await file.async_erase()


async def test_a_broken_disk_that_cannot_be_renewed(hass: HomeAssistant) -> None:
    """Whoever begins something tries it again."""
    file = HomeFile(hass)
    await file.async_store(Kind.ALERT, "a", "begun")
    with (
        broken_disk(),
        patch.object(DatabaseFile, "open", side_effect=StorageFullError),
    ):
        await async_is_written(file.async_save(Kind.ALERT, "a", "taken"))
        await until_begun_anew(file)
    await file.async_store(Kind.ALERT, "b", "next")
    assert "next" in await file.async_load(Kind.ALERT)
    await file.async_erase()


async def test_a_disk_that_breaks_each_file(hass: HomeAssistant) -> None:
    """It is not begun anew again and again: whoever begins something is told."""
    file = HomeFile(hass)
    await file.async_store(Kind.ALERT, "a", "begun")
    with broken_disk(times=9):
        await async_is_written(file.async_save(Kind.ALERT, "a", "taken"))
        await until_begun_anew(file)
        with pytest.raises(HomeAssistantError):
            await file.async_store(Kind.ALERT, "b", "refused")
        await hass.async_block_till_done()
    await file.async_store(Kind.ALERT, "c", "next")
    assert set(await file.async_load(Kind.ALERT)) >= {"next"}
    await file.async_erase()


async def until_begun_anew(file: HomeFile) -> None:
    """Wait until another file was opened, or could not be."""
    async with asyncio.timeout(30):
        while file._is_open:
            await asyncio.sleep(0)
        async with file._opening:
            pass


@contextmanager
def broken_disk(times: int = 1) -> Iterator[None]:
    """Have the next flush find that the file is damaged."""
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    with patch.object(DatabaseFile, "sync", side_effect=[error] * times + [None] * 9):
        yield


@pytest.mark.parametrize("kind", [Kind.ALERT, Kind.QUESTION, Kind.PICTURE])
@pytest.mark.parametrize("content", ["no JSON", "{}", "[]", '{"alert_id": 1}'])
async def test_what_makes_no_sense(
    hass: HomeAssistant,
    simulator: Simulator,
    home_url: str,
    kind: Kind,
    content: str,
) -> None:
    """The numbers work all the same, and so do alerts."""
    file = HomeFile(hass)
    await file.async_store(kind, "a", content)
    await file._store.close()
    entry = await furnish(hass, simulator, "twilio", mode="automatic", name="Line")
    assert entry.state is ConfigEntryState.LOADED
    alert = {"message": "Leak", "steps": [{"to": RECIPIENT}]}
    await hass.services.async_call(DOMAIN, "alert", alert, blocking=True)
    await settle(hass, simulator)
    assert [each.to for each in simulator.twilio.messages] == [RECIPIENT]


async def test_a_disk_that_cannot_be_read(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """A home without its questions and alerts still sends and receives."""
    file = HomeFile(hass)
    await file.async_store(Kind.ALERT, "a", "alert")
    await file._store.close()
    broken = sqlite3.OperationalError("disk I/O error")
    with patch("custom_components.virtual_sms.store.home.HomeStore.load") as load:
        load.side_effect = broken
        entry = await furnish(hass, simulator, "twilio", mode="automatic", name="Line")
    assert entry.state is ConfigEntryState.LOADED
