"""Give contacts and groups their entities, whenever they are added."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity

from ..core.contacts import Contact, Group
from ..people.contacts import SIGNAL_PEOPLE, async_directory
from ..runtime import VirtualSmsConfigEntry
from .adders import async_get_adder
from .contact_event import create_events
from .contact_notify import create_notifiers
from .contact_sensor import create_sensors

type Create = Callable[[VirtualSmsConfigEntry, Contact | Group], Iterable[Entity]]

_PLATFORMS: Final[Mapping[Platform, Create]] = {
    Platform.EVENT: create_events,
    Platform.NOTIFY: create_notifiers,
    Platform.SENSOR: create_sensors,
}


@callback
def async_add_people(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    """Add the entities of a line's people, and of those who are added later.

    Nothing is reloaded for that. Home Assistant itself removes the entities of who is
    removed.
    """
    present: set[str] = set()

    @callback
    def follow() -> None:
        people = async_directory(hass).of_line(entry.entry_id)
        new = [each for each in people if each.own_id not in present]
        present.clear()
        present.update(each.own_id for each in people)
        for each in new:
            _async_add(hass, entry, each)

    follow()
    entry.async_on_unload(async_dispatcher_connect(hass, SIGNAL_PEOPLE, follow))


@callback
def _async_add(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, whose: Contact | Group
) -> None:
    for platform, create in _PLATFORMS.items():
        if (add := async_get_adder(hass, entry, platform)) is not None:
            add(create(entry, whose), config_subentry_id=whose.own_id)
