"""Let automations ask whether a number works, and whether a contact can be reached."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Unpack, cast, override

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import (
    Condition,
    ConditionCheckParams,
    ConditionConfig,
)

from .core.contacts import Contact
from .lines import async_find_loaded
from .people.contact_facts import async_get_facts
from .people.contacts import async_directory
from .sensor import LineStatus, read_line_status
from .target import Target

if TYPE_CHECKING:
    from homeassistant.helpers.typing import ConfigType
    import probatio as vol
else:
    import voluptuous as vol

_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
        vol.Optional(CONF_OPTIONS, default=dict): {},
    }
)


class StateCondition(Condition):
    """All that is meant by the target is in a state; if nothing is meant, it is not."""

    @classmethod
    @override
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Validate what was configured."""
        return cast("ConfigType", _SCHEMA(config))

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take what was configured."""
        super().__init__(hass, config)
        self._target: Mapping[str, Any] = config.target or {}

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        states = self._list_states(Target.find(self._hass, self._target))
        return bool(states) and all(states)

    @abstractmethod
    def _list_states(self, target: Target) -> list[bool]:
        """Say of each that is meant whether it is in the state."""


class LineAvailable(StateCondition):
    """A number can be used; of a contact it is theirs."""

    @override
    def _list_states(self, target: Target) -> list[bool]:
        people = map(async_directory(self._hass).get, target.contact_ids)
        own = {each.entry_id for each in people if each is not None}
        return list(map(self._is_available, target.entry_ids or own))

    def _is_available(self, entry_id: str) -> bool:
        entry = async_find_loaded(self._hass, entry_id)
        if entry is None:
            return False
        return read_line_status(entry.runtime_data.coordinator) is LineStatus.AVAILABLE


class ContactReachable(StateCondition):
    """A contact gets what is sent to them; of a group each member does."""

    @override
    def _list_states(self, target: Target) -> list[bool]:
        directory = async_directory(self._hass)
        contacts = filter(None, map(directory.get_contact, target.contact_ids))
        return list(map(self._is_reachable, contacts))

    def _is_reachable(self, contact: Contact) -> bool:
        is_at_work = async_find_loaded(self._hass, contact.entry_id) is not None
        return (
            is_at_work and async_get_facts(self._hass, contact.contact_id).is_reachable
        )


CONDITIONS: Final[Mapping[str, type[Condition]]] = {
    "line_available": LineAvailable,
    "contact_reachable": ContactReachable,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of this integration."""
    return dict(CONDITIONS)
