"""Find out what numbers and contacts somebody means by a target.

A person picks an entity, a device, an area or a label; ours lead to the number or the
contact that they belong to.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)

from .const import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Target:
    """Numbers by their entries' ids, and contacts by theirs."""

    entry_ids: frozenset[str]
    contact_ids: frozenset[str]

    @classmethod
    def find(cls, hass: HomeAssistant, config: Mapping[str, Any]) -> Self:
        """Return whom a target of an automation leads to at the moment."""
        selected = async_extract_referenced_entity_ids(
            hass, TargetSelection(dict(config)), primary_entities_only=False
        )
        registry = er.async_get(hass)
        entities = [
            entity
            for entity_id in selected.referenced | selected.indirectly_referenced
            if (entity := registry.async_get(entity_id)) and entity.platform == DOMAIN
        ]
        return cls(
            frozenset(
                each.config_entry_id
                for each in entities
                if each.config_entry_id and each.config_subentry_id is None
            ),
            frozenset(
                each.config_subentry_id for each in entities if each.config_subentry_id
            ),
        )

    @callback
    def covers(self, data: Mapping[str, object]) -> bool:
        """Say whether an event concerns one of them: who wrote, or who is written to."""
        return (
            data["entry_id"] in self.entry_ids
            or data.get("contact_id") in self.contact_ids
        )
