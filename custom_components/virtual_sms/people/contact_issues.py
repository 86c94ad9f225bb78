"""What can be wrong with the people of a home, as Home Assistant shows it."""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from ..core.contacts import Contact, Group
from ..core.privacy import mask_numbers

if TYPE_CHECKING:
    from ..runtime import VirtualSmsConfigEntry

ISSUE_ASSIST_MISSING = "assist_missing"
ISSUE_GROUP_EMPTY = "group_empty"
ISSUE_LOCKED = "contact_locked"


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


@callback
def async_raise_locked(hass: HomeAssistant, contact: Contact) -> None:
    """Say that a contact is locked until a person unlocks them, over restarts too."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _locked_id(contact.contact_id),
        data={"problem": ISSUE_LOCKED, "contact_id": contact.contact_id},
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ISSUE_LOCKED,
        translation_placeholders={"name": mask_numbers(contact.name)},
    )


@callback
def async_clear_locked(hass: HomeAssistant, contact_id: str) -> None:
    """Take it back, if it was said."""
    ir.async_delete_issue(hass, DOMAIN, _locked_id(contact_id))


@callback
def async_list_locked(hass: HomeAssistant) -> list[str]:
    """List the contacts that were locked when the home stopped."""
    return [
        str(each.data["contact_id"])
        for each in ir.async_get(hass).issues.values()
        if each.domain == DOMAIN
        and each.data
        and each.data.get("problem") == ISSUE_LOCKED
    ]


@callback
def async_raise_assist_missing(hass: HomeAssistant, contact: Contact) -> None:
    """Say that nobody answers a contact, until somebody does or the contact changes."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _assist_id(contact.contact_id),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ISSUE_ASSIST_MISSING,
        translation_placeholders={"name": mask_numbers(contact.name)},
    )


@callback
def async_clear_assist_missing(hass: HomeAssistant, contact_id: str) -> None:
    """Take it back, if it was said."""
    ir.async_delete_issue(hass, DOMAIN, _assist_id(contact_id))


def _assist_id(contact_id: str) -> str:
    return f"{ISSUE_ASSIST_MISSING}_{contact_id}"


def _locked_id(contact_id: str) -> str:
    return f"{ISSUE_LOCKED}_{contact_id}"


def _issue_id(group: Group) -> str:
    return f"{ISSUE_GROUP_EMPTY}_{group.group_id}"
