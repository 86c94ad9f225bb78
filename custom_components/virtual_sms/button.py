"""A button that checks whether the provider's callbacks can get here."""

from typing import override

from homeassistant.components import persistent_notification
from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .callbacks.reachability_check import async_check_callbacks, complain
from .const import DOMAIN
from .core.reachability import Verdict
from .entity import VirtualSmsEntity
from .entry_data import EntryData
from .runtime import VirtualSmsConfigEntry
from .texts import get_text

PARALLEL_UPDATES = 1

CHECK_CALLBACKS = ButtonEntityDescription(
    key="check_return_path",
    translation_key="check_return_path",
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the button, unless nothing calls this home."""
    if not EntryData.of(entry).polls:
        async_add_entities([CallbackCheckButton(entry, CHECK_CALLBACKS)])
        return
    registry = er.async_get(hass)
    unique_id = f"{entry.entry_id}_{CHECK_CALLBACKS.key}"
    if left := registry.async_get_entity_id(Platform.BUTTON, DOMAIN, unique_id):
        registry.async_remove(left)


class CallbackCheckButton(VirtualSmsEntity, ButtonEntity):
    """Pressed, it says that callbacks arrive, or fails with what keeps them away."""

    @override
    async def async_press(self) -> None:
        registrar = self._entry.runtime_data.registrar
        notification_id = f"{DOMAIN}_callback_check_{self._entry.entry_id}"
        verdict = await async_check_callbacks(self.hass, self._entry, registrar)
        if verdict is not Verdict.OK:
            persistent_notification.async_dismiss(self.hass, notification_id)
            raise complain(verdict)
        persistent_notification.async_create(
            self.hass,
            self._say_success(registrar.adapter.name),
            self._entry.title,
            notification_id,
        )

    def _say_success(self, provider: str) -> str:
        """Return that all is well, in the language of this home."""
        text = get_text(self.hass, "common", "common.callback_check_passed")
        return text.format(provider=provider)
