"""The home's own file: what becomes of a write when it is closed, or given up."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import sqlite3
from typing import TYPE_CHECKING
from unittest.mock import patch

from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.home_file import (
    HomeFile,
    _read_exception,
    async_is_written,
)
from custom_components.virtual_sms.store.home import Kind

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.core import HomeAssistant


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
