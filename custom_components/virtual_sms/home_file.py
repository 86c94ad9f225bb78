"""Keep the home's own file: it is made when something is first written to it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
import logging
from pathlib import Path
import sqlite3
from typing import Final

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .store.database import Database, DatabaseClosedError
from .store.database_file import StorageError
from .store.home import HOME_MIGRATIONS, HomeStore, Kind

_LOGGER = logging.getLogger(__name__)

KEEP: Final = timedelta(days=1)
"""How long what has ended is known, for a message that is published again."""

_CANNOT_WRITE = (OSError, sqlite3.Error, DatabaseClosedError)


class HomeFile:
    """The file of questions and alerts, and what is being written to it."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Know where it is."""
        self._hass = hass
        self.path = Path(hass.config.path(".storage", f"{DOMAIN}.home.db"))
        self._store = HomeStore(
            Database(self.path, HOME_MIGRATIONS, hass.async_add_executor_job),
            dt_util.utcnow,
        )
        self.clock: Final = self._store.clock
        self._opening = asyncio.Lock()
        self._is_open = False
        self._pending: set[asyncio.Future[None]] = set()

    async def async_load(self, kind: Kind) -> Sequence[str]:
        """Return what an earlier run left; raises what `async_open` raises."""
        if not self._is_open:
            if not await self._hass.async_add_executor_job(self.path.exists):
                return ()
            await self.async_open()
        return await self._store.load(kind)

    async def async_open(self) -> None:
        """Open the file if it is not; raises a HomeAssistantError."""
        async with self._opening:
            if self._is_open:
                return
            try:
                await self._store.open()
            except (StorageError, *_CANNOT_WRITE) as err:
                _LOGGER.warning(
                    "The home's file cannot be opened: %s", type(err).__name__
                )
                raise _storage_failed() from err
            self._is_open = True
            self._hass.bus.async_listen_once(
                EVENT_HOMEASSISTANT_FINAL_WRITE, self._async_close
            )

    async def async_erase(self) -> None:
        """Delete the file; it is made anew when it is needed."""
        async with self._opening:
            await self._store.erase()
            self._is_open = False

    @callback
    def async_save(
        self, kind: Kind, item_id: str, content: str
    ) -> asyncio.Future[None]:
        """Begin to write something; the future raises what went wrong."""
        try:
            writing = self._store.save(kind, item_id, content)
        except DatabaseClosedError as err:
            writing = asyncio.get_running_loop().create_future()
            writing.set_exception(err)
        self._pending.add(writing)
        writing.add_done_callback(self._async_forget)
        return writing

    async def async_store(self, kind: Kind, item_id: str, content: str) -> None:
        """Write something new; raises a HomeAssistantError if that is not possible."""
        await self.async_open()
        try:
            await self.async_save(kind, item_id, content)
        except _CANNOT_WRITE as err:
            raise _storage_failed() from err

    @callback
    def async_delete(self, kind: Kind, item_id: str) -> None:
        """Forget something; what cannot be deleted now is deleted by a later run."""
        try:
            self._store.delete(kind, item_id).add_done_callback(_read_exception)
        except DatabaseClosedError:
            return

    @callback
    def async_get_pending(self) -> asyncio.Future[list[BaseException | None]] | None:
        """Return what ends when all is written that was begun since this was asked.

        None if all is. So a write holds up no more than who has caused it, or one other.
        """
        pending = [each for each in self._pending if not each.done()]
        self._pending.clear()
        return asyncio.gather(*pending, return_exceptions=True) if pending else None

    @callback
    def _async_forget(self, writing: asyncio.Future[None]) -> None:
        self._pending.discard(writing)
        _read_exception(writing)

    @callback
    def async_note_clock(self) -> None:
        """Note how far the wall clock has stepped, so that a later run knows it."""
        with suppress(DatabaseClosedError):
            self._store.note_clock_soon()

    async def _async_close(self, _: Event) -> None:
        self.async_note_clock()
        await self._store.close()


async def async_is_written(writing: asyncio.Future[None]) -> bool:
    """Wait for a change to be written; say whether the home still goes on.

    A disk that fails is no reason to be silent: what follows is done all the same.
    """
    try:
        await asyncio.shield(writing)
    except DatabaseClosedError:
        return False
    except (OSError, sqlite3.Error) as err:
        _LOGGER.warning("The home's file cannot be written: %s", type(err).__name__)
    return True


def _read_exception(writing: asyncio.Future[None]) -> None:
    """Take note of what went wrong: whoever waits for it has it as well."""
    if not writing.cancelled():
        writing.exception()


def _storage_failed() -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key="storage_failed"
    )


HOME_FILE: HassKey[HomeFile] = HassKey(f"{DOMAIN}_home_file")


@callback
def async_get_home_file(hass: HomeAssistant) -> HomeFile:
    """Return the home's file."""
    if HOME_FILE not in hass.data:
        hass.data[HOME_FILE] = HomeFile(hass)
    return hass.data[HOME_FILE]
