"""Keep how entities are added to a number, for those that come while it is loaded."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..runtime import VirtualSmsConfigEntry

_ADDERS: HassKey[dict[tuple[str, str], AddConfigEntryEntitiesCallback]] = HassKey(
    f"{DOMAIN}_entity_adders"
)


@callback
def async_keep_adder(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    platform: str,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Keep a platform's way to add entities for as long as its number is loaded."""
    adders, key = hass.data.setdefault(_ADDERS, {}), (entry.entry_id, platform)
    adders[key] = async_add_entities

    def forget() -> None:
        del adders[key]

    entry.async_on_unload(forget)


@callback
def async_get_adder(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, platform: str
) -> AddConfigEntryEntitiesCallback | None:
    """Return a platform's way to add entities; None where it could not be set up."""
    return hass.data.get(_ADDERS, {}).get((entry.entry_id, platform))
