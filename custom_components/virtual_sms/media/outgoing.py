"""Send files along: as a picture message where that goes, else as links in the text."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
import logging
import re
from typing import Final, cast

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util.json import JsonObjectType

from ..adapters.models import Capability
from ..bus import get_days_kept
from ..callbacks.public_url import async_find_public_url
from ..const import DOMAIN
from ..core.outcome import Outcome
from ..error_messages import say
from ..runtime import VirtualSmsConfigEntry
from ..store.pictures import new_token
from .images import UnfitError
from .shelf import Offer, async_get_shelf
from .snapshots import SCHEME, Snapshot, async_take
from .view import PATH

_LOGGER = logging.getLogger(__name__)

MOST_ITEMS: Final = 10
_LOOK_UP: Final = 10.0
"""Seconds to find out what a number can."""
_WEB_ADDRESS: Final = re.compile(r"https?://\S+", re.IGNORECASE)
_EMPTY: Final = Snapshot(data=b"", content_type="image/jpeg")


class MediaAsLink(StrEnum):
    """When files become links: where it must be, always, or never."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Way(StrEnum):
    """How the files of a message travel."""

    MMS = "mms"
    LINK = "link"
    NONE = "none"


LIFETIMES: Final = {Way.MMS: timedelta(minutes=15), Way.LINK: timedelta(hours=24)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """The files of a request, as they were when it was made.

    An item is a public URL, or what this home serves itself at `base`.
    """

    mode: MediaAsLink
    base: str | None = field(default=None, repr=False)
    items: Sequence[str | Snapshot] = field(default=(), repr=False)
    errors: Sequence[JsonObjectType] = ()
    ways: dict[str, Way] = field(default_factory=dict)
    """How they travelled, by the line that sent them."""

    def complete(self, response: JsonObjectType) -> JsonObjectType:
        """Say in a response how the files travelled, and which did not."""
        messages = cast("list[JsonObjectType]", response["messages"])
        completed: JsonObjectType = {
            **response,
            "messages": [self._complete(each) for each in messages],
        }
        if self.errors:
            completed["media_errors"] = list(self.errors)
        return completed

    def _complete(self, message: JsonObjectType) -> JsonObjectType:
        if "error" in message:
            return message
        way = self.ways.get(str(message["line"]), Way.NONE)
        return {**message, "media": way.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What the messages of one line carry."""

    way: Way = Way.NONE
    urls: tuple[str, ...] = field(default=(), repr=False)
    offers: tuple[Offer, ...] = ()

    @property
    def media(self) -> tuple[str, ...]:
        """Return what the provider is to fetch."""
        return self.urls if self.way is Way.MMS else ()

    def extend(self, text: str) -> str:
        """Return a text with the links that go with it."""
        links = self.urls if self.way is Way.LINK else ()
        return "\n".join(filter(None, (text, *links)))

    async def async_offer(self, hass: HomeAssistant) -> None:
        """Serve the files, before anybody is sent to them."""
        await async_get_shelf(hass).async_put(self.offers)

    @contextmanager
    def async_keeping(
        self,
        hass: HomeAssistant,
        entry: VirtualSmsConfigEntry,
        message_ids: Collection[str],
    ) -> Iterator[asyncio.Future[Collection[str]]]:
        """Keep the files with the conversations of messages that are being sent.

        Yields what is to be given the ids of those that are under way: only theirs are
        kept. Until then all are counted as kept.
        """
        under_way: asyncio.Future[Collection[str]] = hass.loop.create_future()
        if get_days_kept(entry):
            keeping = self._async_keep(entry, message_ids, under_way)
            entry.async_create_background_task(hass, keeping, f"{DOMAIN} attachments")
        try:
            yield under_way
        finally:
            under_way.cancel()

    async def async_conclude(
        self,
        hass: HomeAssistant,
        under_way: Collection[Outcome],
        retry_for: timedelta,
    ) -> None:
        """Serve them for as long as a message may take, and not if there is none."""
        tokens = [each.token for each in self.offers]
        if not under_way:
            await async_get_shelf(hass).async_withdraw(tokens)
        elif any(each.provider_id is None for each in under_way):
            async_get_shelf(hass).async_prolong(tokens, retry_for)

    async def _async_keep(
        self,
        entry: VirtualSmsConfigEntry,
        message_ids: Collection[str],
        under_way: asyncio.Future[Collection[str]],
    ) -> None:
        """Keep the files with their conversations, to be seen there later."""
        attachments = entry.runtime_data.attachments
        kinds = {each.part: each.snapshot.content_type for each in self.offers}
        with attachments.promise(message_ids, kinds):
            for message_id in await asyncio.shield(under_way):
                for each in self.offers:
                    await attachments.keep(message_id, each.part, each.snapshot.data)


EMPTY: Final = Parcel()


@callback
def async_foresee_all(
    hass: HomeAssistant, media: Sequence[str], mode: MediaAsLink
) -> Attachments:
    """Return what would be sent, without looking at any camera."""
    return Attachments(
        mode=mode,
        base=_find_base(hass, media, mode),
        items=[_EMPTY if each.startswith(SCHEME) else each for each in media],
    )


async def async_take_all(
    hass: HomeAssistant, media: Sequence[str], mode: MediaAsLink
) -> Attachments:
    """Take the files of a request now; those that fail are named, and left out.

    Raises before anything is sent when the home has no address to serve them at.
    """
    base = _find_base(hass, media, mode)
    taken = await asyncio.gather(*(_async_take(hass, each) for each in media))
    return Attachments(
        mode=mode,
        base=base,
        items=[each for each in taken if not isinstance(each, UnfitError)],
        errors=[
            _describe_failure(hass, name, each)
            for name, each in zip(media, taken, strict=True)
            if isinstance(each, UnfitError)
        ],
    )


async def async_pack(
    entry: VirtualSmsConfigEntry, attachments: Attachments | None, recipients: int
) -> Parcel:
    """Return what a line's messages carry; nothing of it is served yet."""
    if attachments is None or not attachments.items:
        return EMPTY
    way = attachments.ways[entry.entry_id] = await _async_choose(entry, attachments)
    if way is Way.NONE:
        return EMPTY
    if not all(map(_may_be_fetched, attachments.items)):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="invalid_media"
        )
    urls: list[str] = []
    offers: list[Offer] = []
    for each in attachments.items:
        if isinstance(each, str):
            urls.append(each)
            continue
        offers.append(
            Offer(
                part=len(urls),
                token=new_token(),
                entry_id=entry.entry_id,
                snapshot=each,
                lifetime=LIFETIMES[way],
                recipients=recipients,
            )
        )
        urls.append(f"{attachments.base}{offers[-1].token}")
    return Parcel(way=way, urls=tuple(urls), offers=tuple(offers))


def _may_be_fetched(item: str | Snapshot) -> bool:
    """Say whether an item is served by us, or is a web address."""
    return isinstance(item, Snapshot) or _WEB_ADDRESS.fullmatch(item) is not None


async def _async_take(hass: HomeAssistant, item: str) -> str | Snapshot | UnfitError:
    if not item.startswith(SCHEME):
        return item
    try:
        return await async_take(hass, item)
    except UnfitError as err:
        return err


def _find_base(
    hass: HomeAssistant, media: Sequence[str], mode: MediaAsLink
) -> str | None:
    """Return where this home serves files, if it has to."""
    is_served = mode is not MediaAsLink.NEVER or _async_any_sends(hass)
    if not is_served or not any(each.startswith(SCHEME) for each in media):
        return None
    base = async_find_public_url(hass, PATH)
    if base is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_url_for_media"
        )
    return base


@callback
def _async_any_sends(hass: HomeAssistant) -> bool:
    """Say whether any number of this home may send picture messages."""
    entries: list[VirtualSmsConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    return any(
        Capability.MEDIA in each.runtime_data.gateway.line.adapter.capabilities
        for each in entries
        if each.state is ConfigEntryState.LOADED
    )


async def _async_choose(entry: VirtualSmsConfigEntry, attachments: Attachments) -> Way:
    """Choose how the files travel by a line."""
    if attachments.mode is MediaAsLink.ALWAYS:
        return Way.LINK
    if await _async_can_send(entry):
        return Way.MMS
    return Way.LINK if attachments.mode is MediaAsLink.AUTO else Way.NONE


async def _async_can_send(entry: VirtualSmsConfigEntry) -> bool:
    line = entry.runtime_data.gateway.line
    try:
        async with asyncio.timeout(_LOOK_UP):
            return await line.adapter.can_send_media(line.number)
    except TimeoutError:
        return Capability.MEDIA in line.adapter.capabilities


def _describe_failure(
    hass: HomeAssistant, item: str, failure: UnfitError
) -> JsonObjectType:
    """Return what a response says of a file that was left out."""
    _LOGGER.warning("An attachment was left out: %s", failure.reason)
    error = HomeAssistantError(
        translation_domain=DOMAIN, translation_key=f"media_{failure.reason}"
    )
    return {
        "media_content_id": item,
        "error": say(hass, error),
        "reason": failure.reason.value,
    }
