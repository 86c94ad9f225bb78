"""Show what came in to users who may read the number."""

import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aiohttp import web
from homeassistant.components.http.auth_util import async_user_not_allowed_do_auth
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from ..const import DOMAIN
from ..conversations import async_may_read
from ..lines import async_find_loaded
from ..store.database import CANNOT_WRITE
from .view import HEADERS, answer

if TYPE_CHECKING:
    from ..runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

_PATH: Final = f"/api/{DOMAIN}/attachment"


class AttachmentView(HomeAssistantView):
    """The files of conversations; who may not see one learns of none."""

    url = _PATH + "/{entry_id}/{message_id}/{part:[0-9]{1,2}}"
    name = f"api:{DOMAIN}:attachment"

    async def get(
        self, request: web.Request, entry_id: str, message_id: str, part: str
    ) -> web.Response:
        """Return a file that is here."""
        entry = _async_find(request, entry_id)
        if entry is None:
            raise web.HTTPNotFound(headers=HEADERS)
        found = await _async_read(entry, message_id, int(part))
        if found is None:
            raise web.HTTPNotFound(headers=HEADERS)
        return answer(*found)


async def _async_read(
    entry: VirtualSmsConfigEntry, message_id: str, part: int
) -> tuple[bytes, str] | None:
    """Return what is in a file and what it is, if it can be had."""
    attachments = entry.runtime_data.attachments
    try:
        found = await attachments.obtain(message_id, part)
        data = await attachments.read(found) if found else None
    except CANNOT_WRITE as err:
        _LOGGER.warning("An attachment cannot be read: %s", type(err).__name__)
        return None
    return (data, found.content_type) if found and data is not None else None


def place_of(entry_id: str, message_id: str, part: int) -> str:
    """Return the path at which a file is shown."""
    return f"{_PATH}/{entry_id}/{quote(message_id, safe='')}/{part}"


@callback
def _async_find(request: web.Request, entry_id: str) -> VirtualSmsConfigEntry | None:
    """Return a number at work, if the user of a request may read it."""
    hass = request.app[KEY_HASS]
    user = request[KEY_HASS_USER]
    entry = async_find_loaded(hass, entry_id)
    if entry is None or async_user_not_allowed_do_auth(hass, user, request):
        return None
    return entry if async_may_read(hass, entry, user) else None


@callback
def async_setup_attachment_view(hass: HomeAssistant) -> None:
    """Show files for as long as the home runs."""
    hass.http.register_view(AttachmentView())
