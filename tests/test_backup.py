"""A backup finds our files whole, whatever comes in while it is made."""

import asyncio
from pathlib import Path
import sqlite3
from typing import TYPE_CHECKING
from unittest.mock import patch

from homeassistant.components.backup.manager import BackupPlatformProtocol
import pytest

from custom_components.virtual_sms import backup
from custom_components.virtual_sms.home_file import async_get_home_file
from custom_components.virtual_sms.store import database as database_module
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.home import Kind

from .home import send, settle

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

PLATFORM: BackupPlatformProtocol = backup


def files(hass: HomeAssistant) -> dict[str, bytes]:
    """Return what is in our own files, without what lies beside them."""
    folder = Path(hass.config.path(".storage"))
    return {each.name: each.read_bytes() for each in folder.glob("virtual_sms.*db")}


@pytest.fixture(autouse=True)
def tidied_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all brought into the files as soon as nothing is written."""
    monkeypatch.setattr(database_module, "QUIET", 0.01)


async def test_what_comes_in_meanwhile_lies_beside(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Neither the file of a number nor that of the home changes, until it is over."""
    home = async_get_home_file(hass)
    await home.async_open()
    await PLATFORM.async_pre_backup(hass)
    before = files(hass)
    assert len(before) == 2
    await home.async_store(Kind.ALERT, "a", "alert")
    await send(hass, twilio_entry)
    await settle(hass, simulator)
    assert files(hass) == before
    await PLATFORM.async_post_backup(hass)
    async with asyncio.timeout(10):
        while any(files(hass)[name] == content for name, content in before.items()):
            await asyncio.sleep(0.01)


async def test_a_number_that_is_reloaded_meanwhile(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Its file changes neither as it is closed nor once it is open again."""
    await send(hass, twilio_entry)
    await settle(hass, simulator)
    await PLATFORM.async_pre_backup(hass)
    before = files(hass)
    for _ in range(2):
        assert await hass.config_entries.async_reload(twilio_entry.entry_id)
        await send(hass, twilio_entry)
        await settle(hass, simulator)
        await asyncio.sleep(0.1)
    assert files(hass) == before
    await PLATFORM.async_post_backup(hass)
    await send(hass, twilio_entry)
    async with asyncio.timeout(10):
        while files(hass) == before:
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("twilio_entry")
async def test_a_file_that_fails(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """The backup is made all the same, and the log says what it may lack."""
    broken = sqlite3.OperationalError("disk I/O error")
    with patch.object(Database, "read", side_effect=broken):
        await PLATFORM.async_pre_backup(hass)
        await PLATFORM.async_post_backup(hass)
    assert "A backup may hold a damaged file: OperationalError" in caplog.text
