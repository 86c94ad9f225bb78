"""Find out what numbers and contacts somebody means by a target.

A person picks an entity, a device, an area or a label; ours lead to the number or the
contact that they belong to.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)

from .const import DOMAIN
from .people.contacts import async_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Target:
    """Numbers by their entries' ids, and contacts by theirs.

    Groups are among these, beside their members.
    """

    entry_ids: frozenset[str]
    contact_ids: frozenset[str]

    @classmethod
    def find(cls, hass: HomeAssistant, config: Mapping[str, Any]) -> Self:
        """Return whom a target of an automation leads to at the moment."""
        selected = async_extract_referenced_entity_ids(
            hass, TargetSelection(dict(config)), primary_entities_only=False
        )
        registry = er.async_get(hass)
        owners = {
            (str(entity.config_entry_id), entity.config_subentry_id)
            for entity_id in selected.referenced | selected.indirectly_referenced
            if (entity := registry.async_get(entity_id)) and entity.platform == DOMAIN
        }
        owners |= _find_owners(hass, selected.referenced_devices)
        people = {own for _, own in owners if own is not None}
        return cls(
            frozenset(entry_id for entry_id, own in owners if own is None),
            frozenset(people | _find_members(hass, people)),
        )

    @callback
    def covers(self, data: Mapping[str, object]) -> bool:
        """Say whether an event concerns one of them: who wrote, or who is written to."""
        return (
            data["entry_id"] in self.entry_ids
            or data.get("contact_id") in self.contact_ids
        )


def _find_members(hass: HomeAssistant, people: Iterable[str]) -> set[str]:
    """Return which contacts are in the groups among some people."""
    directory = async_directory(hass)
    groups = filter(None, map(directory.get_group, people))
    return {each.contact_id for group in groups for each in directory.members(group)}


def _find_owners(
    hass: HomeAssistant, device_ids: Iterable[str]
) -> set[tuple[str, str | None]]:
    """Return whose devices these are.

    A device leads there without entities too: they are disabled with a number, whose
    contacts still write to the others.
    """
    registry = dr.async_get(hass)
    devices = filter(None, map(registry.async_get, device_ids))
    names = [
        own.partition("_")
        for device in devices
        for domain, own in device.identifiers
        if domain == DOMAIN
    ]
    return {(entry_id, own_id or None) for entry_id, _, own_id in names}
