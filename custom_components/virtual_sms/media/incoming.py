"""Keep what comes in with messages: fetch it, and forget it with them."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..bus import EventData, async_listen, get_days_kept
from ..const import DOMAIN
from ..core.attachments import Attachments
from ..store.blobs import BlobFolder
from ..store.changes import Change, Received
from ..store.database import CANNOT_WRITE

if TYPE_CHECKING:
    from ..core.gateway import Gateway
    from ..runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)


def find_folder(hass: HomeAssistant, entry_id: str) -> BlobFolder:
    """Return where the files lie that came in at a number."""
    return BlobFolder(Path(hass.config.path(".storage", f"{DOMAIN}.{entry_id}.media")))


@callback
def async_create_attachments(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, gateway: Gateway
) -> Attachments:
    """Return what keeps the files of a number."""
    return Attachments(
        gateway.line,
        gateway.store,
        find_folder(hass, entry.entry_id),
        hass.async_add_executor_job,
        lambda work, name: entry.async_create_background_task(hass, work, name),
    )


@callback
def async_follow_media(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> CALLBACK_TYPE:
    """Fetch the files of each message that comes in, if it is kept; return how to stop."""

    @callback
    def handle(_: VirtualSmsConfigEntry, change: Change, __: EventData) -> None:
        if isinstance(change, Received) and get_days_kept(entry):
            entry.runtime_data.attachments.fetch_all(change.message)

    return async_listen(hass, entry.entry_id, handle)


async def async_tidy(entry: VirtualSmsConfigEntry) -> None:
    """Delete the files whose messages are gone; a disk that fails stops nothing."""
    try:
        await entry.runtime_data.attachments.tidy()
    except CANNOT_WRITE as err:
        _LOGGER.warning("Attachments are kept a day longer: %s", type(err).__name__)


async def async_erase_media(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the files that came in at a number that is removed."""
    await hass.async_add_executor_job(find_folder(hass, entry_id).erase)
