"""What can be wrong with the people of a home, as Home Assistant shows it."""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .core.contacts import Group
from .core.privacy import mask_numbers

if TYPE_CHECKING:
    from .runtime import VirtualSmsConfigEntry

ISSUE_GROUP_EMPTY = "group_empty"


@callback
def async_raise_empty_group(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, group: Group
) -> None:
    """Say that a group has no members, until it has one again."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(group),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ISSUE_GROUP_EMPTY,
        translation_placeholders={
            "name": mask_numbers(group.name),
            "line": mask_numbers(entry.title),
        },
    )


@callback
def async_clear_empty_group(hass: HomeAssistant, group: Group) -> None:
    """Take it back, if it was said."""
    ir.async_delete_issue(hass, DOMAIN, _issue_id(group))


def _issue_id(group: Group) -> str:
    return f"{ISSUE_GROUP_EMPTY}_{group.group_id}"
