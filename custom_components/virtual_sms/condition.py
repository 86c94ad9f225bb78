"""Let automations ask whether a number works, and whether a contact can be reached."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Unpack, cast, override

from homeassistant.const import CONF_OPTIONS, CONF_TARGET, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.condition import (
    Condition,
    ConditionCheckParams,
    ConditionConfig,
)

from .const import DOMAIN
from .contacts import async_directory
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

    _wanted: ClassVar[str]

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
        unique_ids = self._list_unique_ids(Target.find(self._hass, self._target))
        return bool(unique_ids) and all(map(self._is_met, unique_ids))

    def _is_met(self, unique_id: str) -> bool:
        registry = er.async_get(self._hass)
        entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id)
        return entity_id is not None and self._hass.states.is_state(
            entity_id, self._wanted
        )

    @abstractmethod
    def _list_unique_ids(self, target: Target) -> list[str]:
        """List the sensors whose state is asked for."""


class LineAvailable(StateCondition):
    """A number can be used; of a contact it is theirs."""

    _wanted = "available"

    @override
    def _list_unique_ids(self, target: Target) -> list[str]:
        people = map(async_directory(self._hass).get, target.contact_ids)
        own = {each.entry_id for each in people if each is not None}
        return [f"{entry_id}_line_status" for entry_id in target.entry_ids or own]


class ContactReachable(StateCondition):
    """A contact gets what is sent to them; of a group each member does."""

    _wanted = "reachable"

    @override
    def _list_unique_ids(self, target: Target) -> list[str]:
        directory = async_directory(self._hass)
        contacts = set(filter(None, map(directory.get_contact, target.contact_ids)))
        for group in filter(None, map(directory.get_group, target.contact_ids)):
            contacts.update(directory.members(group))
        return [f"{each.entry_id}_{each.contact_id}_status" for each in contacts]


CONDITIONS: Final[Mapping[str, type[Condition]]] = {
    "line_available": LineAvailable,
    "contact_reachable": ContactReachable,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of this integration."""
    return dict(CONDITIONS)
