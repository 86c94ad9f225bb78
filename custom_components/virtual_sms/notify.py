"""The classic notify action of a number: the only kind with targets and data."""

from collections.abc import Mapping
from itertools import count
import re
from typing import TYPE_CHECKING, Any, override

from homeassistant.components.notify.const import (
    ATTR_DATA,
    ATTR_MESSAGE,
    ATTR_TARGET,
    ATTR_TITLE,
    DOMAIN as NOTIFY_DOMAIN,
)
from homeassistant.components.notify.legacy import BaseNotificationService
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.service import async_set_service_schema
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import slugify

from .actions.permission import for_who_may_control
from .actions.send_request import SendRequest
from .actions.sending import async_send
from .const import DOMAIN
from .entities.adders import async_keep_adder
from .media.outgoing import MediaAsLink
from .media.schema import ATTR_MEDIA, ATTR_MEDIA_AS_LINK, MEDIA_SCHEMA
from .number_tables import async_load_tables
from .runtime import VirtualSmsConfigEntry

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

PARALLEL_UPDATES = 0

_INTEGER = re.compile(r"[1-9][0-9]{0,19}")
_LINES = {"text": {"multiline": True}}
_EXAMPLE = "media: https://example.com/door.jpg"

# What other platforms understand may stand beside it: groups share their data.
DATA_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_MEDIA, default=list): MEDIA_SCHEMA,
        vol.Optional(ATTR_MEDIA_AS_LINK, default=MediaAsLink.AUTO): vol.Coerce(
            MediaAsLink
        ),
    },
    extra=vol.ALLOW_EXTRA,
)

# Each field of the action, with the field of ours that is called and explained so.
_FIELDS: Mapping[str, tuple[str, dict[str, Any]]] = {
    ATTR_MESSAGE: ("message", {"required": True, "selector": _LINES}),
    ATTR_TARGET: ("to", {"required": True, "selector": {"text": {"multiple": True}}}),
    ATTR_TITLE: ("title", {"selector": {"text": None}}),
    ATTR_DATA: ("media", {"selector": {"object": None}, "example": _EXAMPLE}),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Make room for the notify entities of contacts and groups."""
    async_keep_adder(hass, entry, NOTIFY_DOMAIN, async_add_entities)


async def async_setup_notify(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    """Register a number's notify action for as long as its entry is loaded."""
    service = VirtualSmsNotificationService(entry)
    await service.async_setup(hass, slugify(entry.title), entry.title)
    await service.async_register_services()
    entry.async_on_unload(service.async_unregister_services)


class VirtualSmsNotificationService(BaseNotificationService):
    """Send through a number."""

    def __init__(self, entry: VirtualSmsConfigEntry) -> None:
        """Belong to a number."""
        self._entry = entry

    @override
    async def async_register_services(self) -> None:
        # Chosen and taken in one go, for another entry may start at the same time.
        self._service_name = name = _free_name(self.hass, self._entry)
        await super().async_register_services()
        description = await _async_describe(self.hass, self._entry.title)
        if self.hass.services.has_service(NOTIFY_DOMAIN, name):
            async_set_service_schema(self.hass, NOTIFY_DOMAIN, name, description)

    @override
    async def _async_notify_message_service(self, service: ServiceCall) -> None:
        # Who calls is known here only, and Home Assistant asks nobody.
        await for_who_may_control(super()._async_notify_message_service)(service)

    @override
    async def async_send_message(self, message: str, **kwargs: Any) -> None:
        data = _read_data(kwargs.get(ATTR_DATA) or {})
        request = SendRequest(
            recipients=[_read_target(each) for each in kwargs.get(ATTR_TARGET, ())],
            text=message,
            title=kwargs.get(ATTR_TITLE),
            media=data[ATTR_MEDIA],
            media_as_link=data[ATTR_MEDIA_AS_LINK],
        )
        await async_load_tables(self.hass, request.recipients)
        report = await async_send(self.hass, self._entry.entry_id, request)
        report.raise_for_failures(answered=False)


def _read_target(target: str) -> str | int:
    """Return an integer as the one that it was: Home Assistant makes texts of them.

    YAML reads a number that begins with zero as another one, and only an integer may be
    such a number: as a text it would be somebody else's.
    """
    return int(target) if _INTEGER.fullmatch(target) else target


def _read_data(data: dict[str, Any]) -> dict[str, Any]:
    try:
        read: dict[str, Any] = DATA_SCHEMA(data)
    except vol.Invalid as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="invalid_media"
        ) from err
    return read


async def _async_describe(hass: HomeAssistant, title: str) -> dict[str, Any]:
    """Say what the editor of actions shows, in the language of this home.

    Home Assistant looks for the words of an action of `notify` in its own texts only.
    """
    own: dict[str, str] = {}
    for category in ("common", "services"):
        own |= await async_get_translations(
            hass, hass.config.language, category, {DOMAIN}
        )

    def say(path: str) -> str:
        return own[f"component.{DOMAIN}.{path}"]

    return {
        "name": say("common.notify_name").format(line=title),
        "description": say("common.notify_description"),
        "fields": {
            field: {
                "name": say(f"services.send_message.fields.{ours}.name"),
                "description": say(f"services.send_message.fields.{ours}.description"),
                **shown,
            }
            for field, (ours, shown) in _FIELDS.items()
        },
    }


def _free_name(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> str:
    """Return the slug of a number's title, numbered where it is not the only one.

    Namesakes are numbered by age, so that their names outlive a restart whichever
    of them is ready first. An action of someone else's is left alone.
    """
    slug = slugify(entry.title)
    namesakes = [
        each.entry_id
        for each in hass.config_entries.async_entries(DOMAIN)
        if slugify(each.title) == slug
    ]
    rank = namesakes.index(entry.entry_id) + 1
    names = (slug if number == 1 else f"{slug}_{number}" for number in count(rank))
    return next(
        name for name in names if not hass.services.has_service(NOTIFY_DOMAIN, name)
    )
