"""Keep the home's own file: it is made when something is first written to it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
import logging
from pathlib import Path
import sqlite3
from typing import Final

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    HassJob,
    HomeAssistant,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .storage import async_create_database, name_file
from .store.database import DatabaseClosedError
from .store.database_file import DatabaseFile, StorageError
from .store.home import HOME_MIGRATIONS, HomeStore, Kind

_LOGGER = logging.getLogger(__name__)

KEEP: Final = timedelta(days=1)
"""How long what has ended is known, for a message that is published again."""

ISSUE_HOME_DAMAGED: Final = "home_storage_damaged"

_RETRY_AFTER: Final = 30
"""Seconds after which a disk that took nothing is tried again, if nothing is written."""
_CANNOT_WRITE = (OSError, sqlite3.Error, DatabaseClosedError)


class HomeFile:
    """The file of questions and alerts, and what is being written to it."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Know where it is."""
        self._hass = hass
        self.path = Path(hass.config.path(".storage", f"{DOMAIN}.home.db"))
        self._store = HomeStore(
            async_create_database(hass, self.path, HOME_MIGRATIONS),
            dt_util.utcnow,
        )
        self._store.on_damage(self._async_renew)
        self.clock: Final = self._store.clock
        self._opening = asyncio.Lock()
        self._is_open = False
        self._pending: set[asyncio.Future[None]] = set()
        self._newest: dict[tuple[Kind, str], asyncio.Future[None]] = {}
        self._unwritten: dict[tuple[Kind, str], str] = {}
        """What the disk has not taken: a later run would go on from what it has."""
        self._stop_timer: CALLBACK_TYPE | None = None

    async def async_load(self, kind: Kind) -> Sequence[str]:
        """Return what an earlier run left; raises a HomeAssistantError."""
        if not self._is_open:
            if not await self._hass.async_add_executor_job(self.path.exists):
                return ()
            await self.async_open()
        try:
            return await self._store.load(kind)
        except _CANNOT_WRITE as err:
            _LOGGER.warning("The home's file cannot be read: %s", type(err).__name__)
            raise _storage_failed() from err

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
            if self._store.salvage is not None:
                self._async_show_damage()
            self._hass.bus.async_listen_once(
                EVENT_HOMEASSISTANT_FINAL_WRITE, self._async_close
            )

    async def async_erase(self) -> None:
        """Delete the file; it is made anew when it is needed."""
        self._unwritten.clear()
        async with self._opening:
            await self._store.erase()
            self._is_open = False
        ir.async_delete_issue(self._hass, DOMAIN, ISSUE_HOME_DAMAGED)

    @callback
    def async_save(
        self, kind: Kind, item_id: str, content: str
    ) -> asyncio.Future[None]:
        """Begin to write something; the future raises what went wrong.

        What the disk does not take is written once it does.
        """
        try:
            writing = self._store.save(kind, item_id, content)
        except DatabaseClosedError as err:
            writing = asyncio.get_running_loop().create_future()
            writing.set_exception(err)
        place = (kind, item_id)
        self._async_drop(place)
        self._newest[place] = writing
        self._pending.add(writing)
        writing.add_done_callback(partial(self._async_note, place, content))
        return writing

    async def async_store(self, kind: Kind, item_id: str, content: str) -> None:
        """Write something new; raises a HomeAssistantError if that is not possible.

        Then it is not written later either, nor if whoever wants it ends meanwhile.
        """
        await self.async_open()
        is_stored = False
        try:
            await self.async_save(kind, item_id, content)
            is_stored = True
        except _CANNOT_WRITE as err:
            raise _storage_failed() from err
        finally:
            if not is_stored:
                # It may be there all the same, such as where only the flush has failed.
                self.async_delete(kind, item_id)

    @callback
    def async_delete(self, kind: Kind, item_id: str) -> None:
        """Forget something; what cannot be deleted now is deleted by a later run."""
        self._async_drop((kind, item_id))
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
    def _async_drop(self, place: tuple[Kind, str]) -> None:
        """Write nothing of this again: something newer has come."""
        self._unwritten.pop(place, None)
        self._newest.pop(place, None)

    @callback
    def _async_note(
        self, place: tuple[Kind, str], content: str, writing: asyncio.Future[None]
    ) -> None:
        """Note what became of a write; one that was taken is a sign for the others."""
        self._pending.discard(writing)
        _read_exception(writing)
        if self._newest.get(place) is not writing:
            return
        del self._newest[place]
        if writing.cancelled() or isinstance(writing.exception(), DatabaseClosedError):
            return
        if writing.exception() is None:
            self._async_retry()
            return
        self._unwritten[place] = content
        if self._stop_timer is None:
            job = HassJob(self._async_retry, cancel_on_shutdown=True)
            self._stop_timer = async_call_later(self._hass, _RETRY_AFTER, job)

    @callback
    def _async_retry(self, _: datetime | None = None) -> None:
        if self._stop_timer is not None:
            self._stop_timer()
            self._stop_timer = None
        unwritten, self._unwritten = self._unwritten, {}
        for (kind, item_id), content in unwritten.items():
            self.async_save(kind, item_id, content)

    @callback
    def _async_renew(self) -> None:
        """Go on in a new file: this one has broken while it was open."""
        # One that breaks while it is being opened fails whoever opens it.
        if self._is_open:
            self._is_open = False
            self._hass.async_create_task(self._async_reopen(), f"{DOMAIN} home's file")

    async def _async_reopen(self) -> None:
        async with self._opening:
            await self._store.close()
        # Whoever begins something tries it again.
        with suppress(HomeAssistantError):
            await self.async_open()
            self._async_retry()

    @callback
    def _async_show_damage(self) -> None:
        """Say what may be missing, until a person has taken note, over restarts too."""
        damaged = DatabaseFile(path=self.path, migrations=HOME_MIGRATIONS).damaged
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            ISSUE_HOME_DAMAGED,
            data={"problem": ISSUE_HOME_DAMAGED},
            is_fixable=True,
            is_persistent=True,
            severity=ir.IssueSeverity.ERROR,
            translation_key=ISSUE_HOME_DAMAGED,
            translation_placeholders={"file": name_file(self._hass, damaged)},
        )

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


def read_all[T](rows: Iterable[str], read: Callable[[str], T]) -> list[T]:
    """Read what is stored; what a damaged disk made of some of it keeps no other back."""
    found = []
    for row in rows:
        try:
            found.append(read(row))
        # It may be anything.
        except Exception as err:  # noqa: BLE001  # see above
            _LOGGER.warning(
                "A part of the home's file makes no sense: %s", type(err).__name__
            )
    return found


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
