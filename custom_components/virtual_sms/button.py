"""A button that checks whether the provider's calls can find their way here."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .callbacks.reachability_check import async_check_return_path, complain
from .const import DOMAIN
from .core.reachability import Verdict
from .entity import VirtualSmsEntity
from .entry_data import EntryData
from .runtime import VirtualSmsConfigEntry

PARALLEL_UPDATES = 1

CHECK_RETURN_PATH = ButtonEntityDescription(
    key="check_return_path",
    translation_key="check_return_path",
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the button, unless nothing has to find its way here."""
    if not EntryData.of(entry).polls:
        async_add_entities([ReturnPathButton(entry, CHECK_RETURN_PATH)])
        return
    registry = er.async_get(hass)
    unique_id = f"{entry.entry_id}_{CHECK_RETURN_PATH.key}"
    if left := registry.async_get_entity_id(Platform.BUTTON, DOMAIN, unique_id):
        registry.async_remove(left)


class ReturnPathButton(VirtualSmsEntity, ButtonEntity):
    """Pressed, it fails with what is wrong, or does not fail."""

    @override
    async def async_press(self) -> None:
        registrar = self._entry.runtime_data.registrar
        verdict = await async_check_return_path(self.hass, self._entry, registrar)
        if verdict is not Verdict.OK:
            raise complain(verdict)
