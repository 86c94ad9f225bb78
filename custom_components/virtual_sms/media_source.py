"""Offer what came in as media: by number, by who wrote, the newest first."""

import asyncio
from collections.abc import Sequence
import re
import sqlite3
from typing import Final, override
from urllib.parse import quote, unquote

from homeassistant.components.media_player.const import MediaClass
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.components.websocket_api.connection import current_connection
from homeassistant.core import HomeAssistant

from .const import DOMAIN
from .conversations import async_identify, async_may_read
from .error_messages import write_time
from .lines import async_find_loaded
from .media.attachment_view import place_of
from .media.incoming import find_folder
from .runtime import VirtualSmsConfigEntry
from .store.attachments import Attachment, ListedAttachment
from .store.database import DatabaseClosedError

_TIMEOUT: Final = 30.0
"""Seconds that who wants a file waits while it is fetched."""
_FILE, _CORRESPONDENT = 3, 2
_PART: Final = re.compile(r"[0-9]{1,2}")
_CLASSES: Final = {
    "image": MediaClass.IMAGE,
    "video": MediaClass.VIDEO,
    "audio": MediaClass.MUSIC,
}


async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
    """Return the media of this integration."""
    return SmsMediaSource(hass)


class SmsMediaSource(MediaSource):
    """The files that came in at the numbers of this home."""

    name = "Virtual SMS"

    def __init__(self, hass: HomeAssistant) -> None:
        """Belong to a home."""
        super().__init__(DOMAIN)
        self.hass = hass

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Return where a file is, which is fetched if it is not here yet."""
        path = _split(item)
        entry = async_find_loaded(self.hass, path[0]) if len(path) == _FILE else None
        if entry is None or not _PART.fullmatch(path[2]):
            raise _unresolvable("attachment_unknown")
        found = await _async_obtain(entry, path[1], int(path[2]))
        folder = find_folder(self.hass, entry.entry_id)
        return PlayMedia(
            place_of(entry.entry_id, found.message_id, found.part),
            found.content_type,
            path=folder.locate(found.blob),
        )

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """List the numbers, who sent files to one, or the files of somebody.

        Who may not see a number learns of none, as with its conversations.
        """
        path = _split(item)
        if not path:
            return _folder("", self.name, self._list_numbers())
        entry = async_find_loaded(self.hass, path[0])
        if entry is None or len(path) > _CORRESPONDENT or not self._is_shown(entry):
            raise _unresolvable("attachment_unknown")
        correspondent = path[1] if len(path) == _CORRESPONDENT else ""
        listed = await _async_list(entry, correspondent)
        if not correspondent:
            return _folder(path[0], entry.title, self._list_people(entry, listed))
        title = self._name(entry, correspondent)
        files = [_describe(entry, each) for each in listed]
        return _folder(_join(path[0], correspondent), title, files)

    def _list_numbers(self) -> list[BrowseMediaSource]:
        entries = self.hass.config_entries.async_loaded_entries(DOMAIN)
        return [
            _folder(each.entry_id, each.title)
            for each in filter(self._is_shown, entries)
        ]

    def _is_shown(self, entry: VirtualSmsConfigEntry) -> bool:
        """Say whether whoever looks may read a number; the home itself may."""
        connection = current_connection.get()
        return connection is None or async_may_read(self.hass, entry, connection.user)

    def _list_people(
        self, entry: VirtualSmsConfigEntry, listed: Sequence[ListedAttachment]
    ) -> list[BrowseMediaSource]:
        people = dict.fromkeys(each.correspondent for each in listed)
        return [
            _folder(_join(entry.entry_id, each), self._name(entry, each))
            for each in people
        ]

    def _name(self, entry: VirtualSmsConfigEntry, correspondent: str) -> str:
        who = async_identify(self.hass, entry, correspondent)
        return who.contact or who.correspondent


async def _async_obtain(
    entry: VirtualSmsConfigEntry, message_id: str, part: int
) -> Attachment:
    try:
        async with asyncio.timeout(_TIMEOUT):
            found = await entry.runtime_data.attachments.obtain(message_id, part)
    except (TimeoutError, sqlite3.Error, DatabaseClosedError) as err:
        raise _unresolvable("attachment_gone") from err
    if found is None:
        raise _unresolvable("attachment_gone")
    return found


async def _async_list(
    entry: VirtualSmsConfigEntry, correspondent: str
) -> Sequence[ListedAttachment]:
    try:
        store = entry.runtime_data.gateway.store
        return await store.attachments.list_all(correspondent)
    except (sqlite3.Error, DatabaseClosedError) as err:
        raise _unresolvable("attachment_gone") from err


def _split(item: MediaSourceItem) -> list[str]:
    """Return the parts of what an item is called: number, then who or which message."""
    return (
        [unquote(each) for each in item.identifier.split("/")]
        if item.identifier
        else []
    )


def _join(*parts: str) -> str:
    return "/".join(quote(each, safe="") for each in parts)


def _describe(
    entry: VirtualSmsConfigEntry, listed: ListedAttachment
) -> BrowseMediaSource:
    found = listed.attachment
    kind = found.content_type
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=_join(entry.entry_id, found.message_id, str(found.part)),
        media_class=_CLASSES.get(kind.partition("/")[0], MediaClass.URL),
        media_content_type=kind,
        title=write_time(listed.at),
        can_play=True,
        can_expand=False,
    )


def _folder(
    identifier: str, title: str, children: Sequence[BrowseMediaSource] | None = None
) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=identifier,
        media_class=MediaClass.DIRECTORY,
        media_content_type="",
        title=title,
        can_play=False,
        can_expand=True,
        children=children,
    )


def _unresolvable(key: str) -> Unresolvable:
    return Unresolvable(translation_domain=DOMAIN, translation_key=key)
