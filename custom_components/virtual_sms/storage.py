"""Keep a number's file in Home Assistant's storage, and say what is wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
import sqlite3
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryError,
    ConfigEntryNotReady,
    HomeAssistantError,
)
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .core.gateway import Gateway
from .issues import Problem, async_clear_issue, async_raise_issue
from .store.database import Database
from .store.database_file import DatabaseFile, StorageError, explain
from .store.schema import MIGRATIONS

if TYPE_CHECKING:
    from .runtime import VirtualSmsConfigEntry


@dataclass
class Databases:
    """The files that are in use, and whether they are held, for a backup is made."""

    all: WeakSet[Database] = field(default_factory=WeakSet)
    is_held: bool = False


_DATABASES: Final[HassKey[Databases]] = HassKey(f"{DOMAIN}_databases")


@callback
def async_get_databases(hass: HomeAssistant) -> Databases:
    """Return all databases of this home."""
    return hass.data.setdefault(_DATABASES, Databases())


@callback
def async_create_database(
    hass: HomeAssistant, path: Path, migrations: tuple[str, ...]
) -> Database:
    """Return a database, which is yet to be opened, and is held as all others are."""
    databases = async_get_databases(hass)
    database = Database(
        path, migrations, hass.async_add_executor_job, is_held=databases.is_held
    )
    databases.all.add(database)
    return database


def create_database(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> Database:
    """Return a number's database, which is yet to be opened."""
    return async_create_database(hass, _path(hass, entry), MIGRATIONS)


async def async_open_storage(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, gateway: Gateway
) -> None:
    """Open the file; what was wrong with it is shown, and damage is mended.

    Damage that is met later is mended by a reload.
    """

    @callback
    def reload() -> None:
        hass.config_entries.async_schedule_reload(entry.entry_id)

    gateway.store.on_damage(reload)
    try:
        with explained(hass, entry):
            await gateway.open()
    except BaseException:
        await gateway.close()
        raise
    salvage = gateway.store.salvage
    if salvage is not None:
        lost = "?" if "outbound" in salvage.unread else str(salvage.lost)
        file = name_file(hass, _file(hass, entry).damaged)
        async_raise_issue(hass, entry, Problem.STORAGE_DAMAGED, lost=lost, file=file)


@callback
def async_follow_disk(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    """Show that messages leave and cannot be saved, until they can be again."""
    if entry.runtime_data.gateway.outbox.has_work:
        async_raise_issue(hass, entry, Problem.STORAGE_UNWRITABLE)
    else:
        async_clear_issue(hass, entry, Problem.STORAGE_UNWRITABLE)


@contextmanager
def explained(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> Iterator[None]:
    """Say in words what a failing disk means for the set-up of a number."""
    try:
        yield
    except (sqlite3.Error, StorageError) as err:
        trouble = err if isinstance(err, StorageError) else explain(err)
        # The sentence says it all; Home Assistant would print the way to it as well.
        raise _failure(trouble, name_file(hass, _path(hass, entry))) from None


def _failure(err: StorageError, file: str) -> HomeAssistantError:
    """Return what Home Assistant shows, and tries again where that may help."""
    kind = ConfigEntryNotReady if err.may_pass else ConfigEntryError
    return kind(
        translation_domain=DOMAIN,
        translation_key=err.code,
        translation_placeholders={"file": file},
    )


def _file(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> DatabaseFile:
    return DatabaseFile(path=_path(hass, entry), migrations=MIGRATIONS)


def _path(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> Path:
    return Path(hass.config.path(".storage", f"{DOMAIN}.{entry.entry_id}.db"))


def name_file(hass: HomeAssistant, path: Path) -> str:
    """Name a file as a person sees it in the configuration folder."""
    return path.relative_to(hass.config.config_dir).as_posix()
