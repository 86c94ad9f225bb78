"""What a person or an automation may give as files to send along."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.helpers import config_validation as cv

from .outgoing import MOST_ITEMS

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

ATTR_MEDIA: Final = "media"
ATTR_MEDIA_AS_LINK: Final = "media_as_link"
_CONTENT_ID: Final = "media_content_id"


def _read_item(value: Any) -> str:
    """Return a web address, or the id of an item as the media selector gives it."""
    item = value.get(_CONTENT_ID) if isinstance(value, dict) else value
    if not isinstance(item, str) or not item:
        raise vol.Invalid("no web address, and no media item")
    return item


MEDIA_SCHEMA = vol.All(cv.ensure_list, [_read_item], vol.Length(max=MOST_ITEMS))
"""Web addresses and media items to send along, one or many."""
