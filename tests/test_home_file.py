"""The home's own file: what becomes of a write when it is closed, or given up."""

import asyncio
from typing import TYPE_CHECKING

from custom_components.virtual_sms.home_file import (
    HomeFile,
    _read_exception,
    async_is_written,
)
from custom_components.virtual_sms.store.home import Kind

if TYPE_CHECKING:
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


async def test_given_up() -> None:
    """A write that nobody waits for any more complains to nobody."""
    writing = asyncio.get_running_loop().create_future()
    writing.cancel()
    _read_exception(writing)
