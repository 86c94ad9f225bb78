"""Take what is to be sent as it is now: a moment later the camera shows something else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
import logging
from pathlib import Path
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from .images import LARGEST_SOURCE, Unfit, UnfitError, fit

_LOGGER = logging.getLogger(__name__)

SCHEME: Final = "media-source://"
TIMEOUT: Final = 10.0
"""Seconds that a camera may hold up a text."""
# Ours ends first, so that a slow camera is told from a broken one.
_NO_LIMIT = 60
# What a phone shows well, and a camera need not make larger.
_WIDTH, _HEIGHT = 1280, 720

type Take = Callable[[HomeAssistant, str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A file as it was when it was taken."""

    data: bytes = field(repr=False)
    content_type: str


async def async_take(hass: HomeAssistant, media_id: str) -> Snapshot:
    """Take a media item, or raise UnfitError, within a bounded time.

    Whatever a camera does wrong is no reason for its text to stay: some do not even
    end when they are told to.
    """
    taking = hass.async_create_background_task(
        _async_take(hass, media_id), f"{DOMAIN} snapshot"
    )
    taking.add_done_callback(_read_exception)
    done, _ = await asyncio.wait([taking], timeout=TIMEOUT)
    if not done:
        taking.cancel()
        raise UnfitError(Unfit.TOO_SLOW)
    try:
        return taking.result()
    except UnfitError:
        raise
    # The integration of a camera may raise anything.
    except Exception as err:
        _LOGGER.debug("An attachment cannot be taken: %s", type(err).__name__)
        raise UnfitError(Unfit.UNAVAILABLE) from err


async def _async_take(hass: HomeAssistant, media_id: str) -> Snapshot:
    domain, _, name = media_id.removeprefix(SCHEME).partition("/")
    take = _BY_DOMAIN.get(domain, _async_read_source)
    data = await take(hass, name if domain in _BY_DOMAIN else media_id)
    fitting, kind = await hass.async_add_executor_job(fit, data)
    return Snapshot(data=fitting, content_type=kind)


def _read_exception(taking: asyncio.Task[Snapshot]) -> None:
    """Take note of what went wrong after nobody waits any more."""
    if not taking.cancelled():
        taking.exception()


async def _async_look(hass: HomeAssistant, entity_id: str) -> bytes:
    from homeassistant.components import camera

    image = await camera.async_get_image(
        hass, entity_id, timeout=_NO_LIMIT, width=_WIDTH, height=_HEIGHT
    )
    return image.content


async def _async_read_image(hass: HomeAssistant, entity_id: str) -> bytes:
    from homeassistant.components import image

    found = await image.async_get_image(hass, entity_id, timeout=_NO_LIMIT)
    return found.content


async def _async_read_source(hass: HomeAssistant, media_id: str) -> bytes:
    """Read a media item that is a file; what is only streamed cannot be sent."""
    from homeassistant.components import media_source

    found = await media_source.async_resolve_media(hass, media_id, None)
    if found.path is None:
        raise HomeAssistantError("no file")
    return await hass.async_add_executor_job(_read, found.path)


def _read(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_SOURCE:
        raise UnfitError(Unfit.TOO_LARGE)
    return path.read_bytes()


_BY_DOMAIN: Final[Mapping[str, Take]] = {
    "camera": _async_look,
    "image": _async_read_image,
}
