"""Serve a picture to who has its token, and to nobody else."""

from typing import Final

from aiohttp import web
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import HomeAssistantView

from ..const import DOMAIN
from ..core.content_type import suffix_of
from .shelf import PictureShelf, async_get_shelf

PATH: Final = f"/api/{DOMAIN}/media/"

HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; "
        "style-src 'unsafe-inline'; sandbox"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_SHOWN: Final = frozenset({"audio", "image", "video"})
"""What a browser shows by itself; all else it saves."""


class PictureView(HomeAssistantView):
    """The door of the pictures; whoever knows a token has got it from us."""

    url = PATH + "{token}"
    name = f"api:{DOMAIN}:media"
    requires_auth = False

    def __init__(self, shelf: PictureShelf) -> None:
        """Take the pictures."""
        self._shelf = shelf

    async def get(self, _: web.Request, token: str) -> web.Response:
        """Return a picture, and count it before anything is waited for."""
        picture = self._shelf.async_take(token)
        data = await self._shelf.async_read(picture) if picture else None
        if picture is None or data is None:
            raise web.HTTPNotFound(headers=HEADERS)
        return answer(data, picture.content_type)

    async def head(self, _: web.Request, token: str) -> web.Response:
        """Say what a picture is without counting it: providers look before they fetch."""
        picture = self._shelf.async_find(token)
        if picture is None or not await self._shelf.async_has(picture):
            raise web.HTTPNotFound(headers=HEADERS)
        response = answer(None, picture.content_type)
        response.headers["Content-Length"] = str(picture.size)
        return response


def answer(data: bytes | None, content_type: str) -> web.Response:
    """Return a file that is shown as what it is, and kept nowhere; None for no body."""
    name = f"picture.{suffix_of(content_type)}"
    is_shown = content_type.partition("/")[0] in _SHOWN
    how = "inline" if is_shown else "attachment"
    disposition = {"Content-Disposition": f'{how}; filename="{name}"'}
    return web.Response(
        body=data, content_type=content_type, headers=HEADERS | disposition
    )


@callback
def async_setup_view(hass: HomeAssistant) -> None:
    """Open the door, which is open as long as the home runs."""
    hass.http.register_view(PictureView(async_get_shelf(hass)))
