"""A number whose file cannot be opened says why, and recovers where it can."""

import asyncio
from datetime import timedelta
import errno
from pathlib import Path
import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.storage import create_database
from custom_components.virtual_sms.store import database_file as database_open
from custom_components.virtual_sms.store.schema import MIGRATIONS

from .callbacks.test_registrar import issues
from .fakes import FullDisk
from .home import SENDER, listen, send, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


def chains(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List what a person sees in the log of where in our code something went wrong."""
    return [
        each.getMessage()
        for each in caplog.records
        if each.levelname in {"ERROR", "WARNING"}
        and each.exc_info
        and each.exc_info[1]
        and (each.exc_info[1].__cause__ or not each.exc_info[1].__suppress_context__)
    ]


def path_of(hass: HomeAssistant, entry: ConfigEntry) -> Path:
    """Return where a number's file is."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.{entry.entry_id}.db"))


def change(path: Path, script: str) -> None:
    """Change a file as another program would."""
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def make_newer(path: Path) -> None:
    """Have a newer version write the file."""
    change(path, f"PRAGMA user_version={len(MIGRATIONS) + 1}")


def replace_by_foreign(path: Path) -> None:
    """Put another application's file in its place."""
    path.unlink()
    change(path, "CREATE TABLE states (state_id INTEGER PRIMARY KEY)")


def replace_by_marked(path: Path) -> None:
    """Have a file whose header names another application."""
    change(path, "PRAGMA application_id=1196444487")


def replace_by_versioned(path: Path) -> None:
    """Put a file in its place that counts its versions as ours does."""
    path.unlink()
    change(path, "CREATE TABLE tiles (x); PRAGMA user_version=2")


def replace_by_folder(path: Path) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "code", "state"),
    [
        (make_newer, "storage_newer", ConfigEntryState.SETUP_ERROR),
        (replace_by_foreign, "storage_foreign", ConfigEntryState.SETUP_ERROR),
        (replace_by_marked, "storage_foreign", ConfigEntryState.SETUP_ERROR),
        (replace_by_versioned, "storage_foreign", ConfigEntryState.SETUP_ERROR),
        (replace_by_folder, "storage_unavailable", ConfigEntryState.SETUP_RETRY),
    ],
)
async def test_a_file_that_is_not_ours(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    spoil: Callable[[Path], None],
    code: str,
    state: ConfigEntryState,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is left as it is, and the number says what to do about it."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    path = path_of(hass, twilio_entry)
    spoil(path)
    before = path.read_bytes() if path.is_file() else None

    assert not await hass.config_entries.async_setup(twilio_entry.entry_id)
    assert twilio_entry.state is state
    assert twilio_entry.error_reason_translation_key == code
    assert not chains(caplog)
    assert (path.read_bytes() if path.is_file() else None) == before
    assert not path.with_suffix(".damaged").exists()


async def test_another_program_holds_the_file(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The number starts by itself once the other program is done."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    other = sqlite3.connect(path_of(hass, twilio_entry), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    connect = sqlite3.connect
    impatient: Any = lambda *args, **more: connect(*args, **more, timeout=0)  # noqa: E731
    with patch.object(database_open.sqlite3, "connect", impatient):
        assert not await hass.config_entries.async_setup(twilio_entry.entry_id)
    assert twilio_entry.state is ConfigEntryState.SETUP_RETRY
    assert twilio_entry.error_reason_translation_key == "storage_locked"
    assert not chains(caplog)

    other.close()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=5))
    await settle(hass, simulator)
    assert twilio_entry.state is ConfigEntryState.LOADED


def sqlite_error(code: int) -> sqlite3.Error:
    """Make what sqlite raises with a code."""
    err = sqlite3.OperationalError("trouble")
    err.sqlite_errorcode = code
    return err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sqlite_error(sqlite3.SQLITE_READONLY), "storage_read_only"),
        (sqlite_error(sqlite3.SQLITE_READONLY | 1 << 8), "storage_read_only"),
        (sqlite_error(sqlite3.SQLITE_FULL), "storage_full"),
        (sqlite_error(sqlite3.SQLITE_IOERR), "storage_unavailable"),
        (OSError(errno.EROFS, "read-only"), "storage_read_only"),
        (OSError(errno.EACCES, "denied"), "storage_read_only"),
        (OSError(errno.ENOSPC, "full"), "storage_full"),
        (OSError(errno.EIO, "broken"), "storage_unavailable"),
    ],
)
@pytest.mark.parametrize("place", ["_check", "_migrate"])
async def test_a_disk_that_fails_at_the_start(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    place: str,
    error: Exception,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What may pass is tried again, and said in a sentence instead of a traceback."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    with patch.object(database_open, place, side_effect=error):
        assert not await hass.config_entries.async_setup(twilio_entry.entry_id)
    assert twilio_entry.state is ConfigEntryState.SETUP_RETRY
    assert twilio_entry.error_reason_translation_key == code
    assert not chains(caplog)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=5))
    await settle(hass, simulator)
    assert twilio_entry.state is ConfigEntryState.LOADED


async def test_a_disk_without_modes(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A file system that knows no permissions is no reason not to start."""
    with patch.object(Path, "chmod", side_effect=PermissionError):
        assert await hass.config_entries.async_reload(twilio_entry.entry_id)


async def test_a_damaged_file_is_shown(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The repair says where the damaged file is, and stays until it is acknowledged."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    path = path_of(hass, twilio_entry)
    path.write_bytes(b"no database at all " * 100)
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    await settle(hass, simulator)

    assert issues(hass) == {"storage_damaged"}
    [issue] = ir.async_get(hass).issues.values()
    placeholders = issue.translation_placeholders or {}
    assert placeholders["lost"] == "?"
    assert placeholders["file"] == f".storage/{path.with_suffix('.damaged').name}"
    assert issue.is_persistent
    heard = listen(hass)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert issues(hass) == {"storage_damaged"}
    assert await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert not issues(hass)
    assert not list(path.parent.glob(f"{DOMAIN}*"))


async def test_a_disk_that_takes_nothing_is_shown(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The repair comes with the first message that is not saved, and goes by itself."""
    disk = FullDisk(monkeypatch)
    disk.is_read_only = True
    [message] = await send(hass, twilio_entry)
    assert message["remembered"] is False
    assert issues(hass) == {"storage_unwritable"}
    disk.is_read_only = False
    freezer.tick(61)
    async_fire_time_changed(hass)
    await settle(hass, simulator)
    assert not issues(hass)
    assert len(simulator.twilio.messages) == 1
    store = twilio_entry.runtime_data.gateway.store
    kept = await store.outbound.find(str(message["message_id"]))
    assert kept is not None
    assert kept.provider_id == message["provider_id"]


async def test_damage_while_running(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A file that breaks in use is set aside by one reload, and the number goes on."""
    database = twilio_entry.runtime_data.gateway.store._database
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    def fail(_: sqlite3.Connection) -> None:
        raise error

    for result in await asyncio.gather(
        database.run(fail), database.run(fail), return_exceptions=True
    ):
        assert result is error
    await settle(hass, simulator)
    assert twilio_entry.state is ConfigEntryState.LOADED
    assert twilio_entry.runtime_data.gateway.store._database is not database
    assert issues(hass) == {"storage_damaged"}
    [message] = await send(hass, twilio_entry)
    assert message["status"] != "failed"
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert not create_database(hass, twilio_entry)._file.suspect.exists()


async def test_a_full_disk_at_the_first_write(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A file that opens and cannot be written is closed again, and tried later."""
    with patch(
        "custom_components.virtual_sms.store.outbound.OutboundTable.recover",
        side_effect=sqlite_error(sqlite3.SQLITE_FULL),
    ):
        assert not await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert twilio_entry.error_reason_translation_key == "storage_full"
    assert [
        each.name for each in path_of(hass, twilio_entry).parent.glob("*-wal")
    ] == []
