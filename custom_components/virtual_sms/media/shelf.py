"""Hold the pictures that this home serves to providers and phones, for a while."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import logging
from pathlib import Path
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..home_file import HomeFile, async_get_home_file, read_all
from ..store.blobs import BlobFolder
from ..store.home import Kind
from ..store.pictures import Picture, find_next_end, list_surplus, name_token
from .snapshots import Snapshot

_LOGGER = logging.getLogger(__name__)

MOST_FETCHES: Final = 500
FETCHES_EACH: Final = 10
"""How often the picture of one recipient is fetched: carriers and phones do it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A picture that is to be served under a token, as a part of a message."""

    part: int
    token: str = field(repr=False)
    entry_id: str
    snapshot: Snapshot
    lifetime: timedelta
    recipients: int


class PictureShelf:
    """The pictures of all numbers, in a folder, and what the home's file says of them."""

    def __init__(self, hass: HomeAssistant, file: HomeFile) -> None:
        """Know where they are."""
        self._hass = hass
        self._file = file
        self._folder = BlobFolder(Path(hass.config.path(".storage", f"{DOMAIN}.sent")))
        self._pictures: dict[str, Picture] = {}
        self._writing = asyncio.Lock()
        self._stop_timer: CALLBACK_TYPE | None = None
        self._is_loaded = False

    @property
    def _now(self) -> datetime:
        """Return the time by which pictures are over: no step of a clock ends one."""
        return self._file.clock.now()

    async def async_load(self) -> None:
        """Take up what an earlier run left, once; raises a HomeAssistantError."""
        if self._is_loaded:
            return
        stored = await self._file.async_load(Kind.PICTURE)
        self._pictures = {each.name: each for each in read_all(stored, Picture.load)}
        self._is_loaded = True
        await self._async_tidy()

    async def async_put(self, offers: Collection[Offer]) -> None:
        """Serve pictures from now on, when they are safely on disk.

        Raises a HomeAssistantError when they cannot be written.
        """
        async with self._writing:
            for offer in offers:
                await self._async_put(offer)
        await self._async_tidy()

    @callback
    def async_find(self, token: str) -> Picture | None:
        """Return what is served under a token; None for any other."""
        picture = self._pictures.get(name_token(token))
        return picture if picture and picture.is_served(self._now) else None

    @callback
    def async_take(self, token: str) -> Picture | None:
        """Return what is served under a token, and serve it once less."""
        picture = self.async_find(token)
        if picture is not None:
            self._async_save(picture.fetched())
        return picture

    async def async_has(self, picture: Picture) -> bool:
        """Say whether the file of a picture is there."""
        path = self._folder.locate(picture.blob)
        return await self._hass.async_add_executor_job(path.is_file)

    async def async_read(self, picture: Picture) -> bytes | None:
        """Return the file of a picture; None if it is gone."""
        try:
            return await self._hass.async_add_executor_job(
                self._folder.get, picture.blob
            )
        except OSError as err:
            _LOGGER.warning("A picture cannot be read: %s", type(err).__name__)
            return None

    @callback
    def async_prolong(self, tokens: Collection[str], time: timedelta) -> None:
        """Serve pictures for longer, as their message is yet to leave."""
        for name in map(name_token, tokens):
            if name in self._pictures:
                self._async_save(self._pictures[name].prolonged(time))
        self._async_follow()

    async def async_withdraw(self, tokens: Collection[str]) -> None:
        """Serve pictures no longer."""
        self._async_drop([name_token(token) for token in tokens])
        await self._async_tidy()

    async def async_forget(self, entry_id: str) -> None:
        """Serve the pictures of a number no longer."""
        await self.async_load()
        self._async_drop(
            [name for name, each in self._pictures.items() if each.entry_id == entry_id]
        )
        await self._async_tidy()

    async def _async_put(self, offer: Offer) -> None:
        data = offer.snapshot.data
        # Its clock begins when it is opened.
        await self._file.async_open()
        try:
            blob = await self._hass.async_add_executor_job(self._folder.put, data)
        except OSError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key="storage_failed"
            ) from err
        picture = Picture(
            name=name_token(offer.token),
            entry_id=offer.entry_id,
            blob=blob,
            content_type=offer.snapshot.content_type,
            size=len(data),
            expires_at=(self._now + offer.lifetime).timestamp(),
            fetches_left=min(FETCHES_EACH * offer.recipients, MOST_FETCHES),
        )
        await self._file.async_store(Kind.PICTURE, picture.name, picture.dump())
        self._pictures[picture.name] = picture

    @callback
    def _async_save(self, picture: Picture) -> None:
        self._pictures[picture.name] = picture
        self._file.async_save(Kind.PICTURE, picture.name, picture.dump())

    @callback
    def _async_drop(self, names: Collection[str]) -> None:
        for name in names:
            if self._pictures.pop(name, None):
                self._file.async_delete(Kind.PICTURE, name)

    async def _async_tidy(self) -> None:
        """Drop what is over or too much, and all files that nothing is known of."""
        async with self._writing:
            self._async_drop(list_surplus(self._pictures, self._now))
            blobs = {each.blob for each in self._pictures.values()}
            try:
                await self._hass.async_add_executor_job(self._folder.keep, blobs)
            except OSError as err:
                _LOGGER.warning("Pictures cannot be deleted: %s", type(err).__name__)
        self._async_follow()

    @callback
    def _async_follow(self) -> None:
        """Tidy again when the next picture is over."""
        if self._stop_timer is not None:
            self._stop_timer()
            self._stop_timer = None
        end = find_next_end(self._pictures.values())
        if end is not None:
            self._stop_timer = async_call_later(
                self._hass,
                max(end - self._now, timedelta()),
                HassJob(self._async_end, cancel_on_shutdown=True),
            )

    async def _async_end(self, _: datetime) -> None:
        self._stop_timer = None
        await self._async_tidy()


SHELF: HassKey[PictureShelf] = HassKey(f"{DOMAIN}_pictures")


@callback
def async_get_shelf(hass: HomeAssistant) -> PictureShelf:
    """Return the pictures that this home serves."""
    if SHELF not in hass.data:
        hass.data[SHELF] = PictureShelf(hass, async_get_home_file(hass))
    return hass.data[SHELF]
