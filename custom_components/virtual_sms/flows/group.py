"""Add and change a group: several contacts under one name."""

from typing import TYPE_CHECKING, Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ..const import DOMAIN
from ..core.contacts import Contact
from ..people.contacts import CONF_MEMBERS, async_directory, async_find
from .people import FormRefusedError, PeopleFlow
from .schemas import CONF_NAME, Form

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol


class MembersSelector(SelectSelector):
    """A choice of contacts, which their entities and their names stand for as well.

    What is no contact (any more) is for the flow to refuse, in words.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Offer the contacts of all lines."""
        self._hass = hass
        config = SelectSelectorConfig(
            options=_list_options(hass),
            multiple=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
        super().__init__(config)

    @override
    def __call__(self, data: Any) -> Any:
        typed = data if isinstance(data, list) else [data]
        return [self._contact_id(str(each)) for each in typed]

    @callback
    def _contact_id(self, value: str) -> str:
        found = async_find(self._hass, value)
        return found.contact_id if isinstance(found, Contact) else value


class GroupFlow(PeopleFlow):
    """Ask who is in it."""

    @override
    def _schema(self) -> vol.Schema:
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Required(CONF_MEMBERS, default=list): MembersSelector(self.hass),
            }
        )

    @override
    def _read(self, typed: Form) -> Form:
        members = list(dict.fromkeys(typed[CONF_MEMBERS]))
        if not members:
            raise FormRefusedError("no_members", CONF_MEMBERS)
        if any(self._directory.get_contact(each) is None for each in members):
            raise FormRefusedError("no_contact", CONF_MEMBERS)
        return {CONF_MEMBERS: members}


@callback
def _list_options(hass: HomeAssistant) -> list[SelectOptionDict]:
    """List the contacts of the home; where it has several lines, with theirs."""
    contacts = async_directory(hass).contacts
    is_plain = len(hass.config_entries.async_entries(DOMAIN)) == 1
    return [
        SelectOptionDict(
            value=each.contact_id,
            label=each.name if is_plain else f"{each.name} ({_line(hass, each)})",
        )
        for each in contacts
    ]


@callback
def _line(hass: HomeAssistant, contact: Contact) -> str:
    return hass.config_entries.async_get_known_entry(contact.entry_id).title
