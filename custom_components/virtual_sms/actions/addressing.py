"""Work out whom a message is for, and which of the home's numbers texts them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError

from ..adapters.plain_text import show
from ..const import CONF_NUMBER, DOMAIN
from ..core.contacts import Contact, Group, name_key
from ..core.phone_numbers import InvalidNumberError, parse_number
from ..error_messages import AddressError
from ..people.contacts import async_directory, async_find


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody who is to be texted: who, where, and by the line of which entry.

    With an `error` they cannot be, and `to` is what was given for them.
    """

    to: str = field(repr=False)
    line: str | None
    contact: Contact | None = field(default=None, repr=False)
    error: AddressError | InvalidNumberError | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Return what a person calls them."""
        return self.contact.name if self.contact else self.to


@callback
def async_address(
    hass: HomeAssistant,
    line: str | None,
    numbers: Sequence[object],
    contacts: Sequence[str] = (),
) -> list[Recipient]:
    """List everybody once, however often they are named, with what is wrong with it.

    `line` texts the numbers. Contacts are texted by their own, and are addressed as
    such where one of their numbers is given as well.
    """
    people = _address_people(hass, contacts)
    named = {each.contact.contact_id for each in people if each.contact}
    typed = (_address_number(hass, line, each) for each in numbers)
    others = [
        each
        for each in typed
        if each.contact is None or each.contact.contact_id not in named
    ]
    found: dict[str, Recipient] = {}
    for each in (*others, *people):
        found.setdefault(each.to, each)
    return list(found.values())


@callback
def async_find_line(hass: HomeAssistant, value: str | None) -> str:
    """Return the entry id of a line by its id, its title or its number.

    Without any of them, that of the only line. What is none of them is returned as
    it is.
    """
    if value is not None and _is_entry(hass, value):
        return value
    entries = hass.config_entries.async_entries(DOMAIN)
    if value is None:
        active = [each.entry_id for each in entries if each.disabled_by is None]
        if len(active) != 1:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="line_needed"
            )
        return active[0]
    number = _try_number(hass, value)
    title = name_key(value)
    matches = (
        [each for each in entries if name_key(each.title) == title],
        [each for each in entries if each.data[CONF_NUMBER] == number],
    )
    found = next((some for some in matches if some), None)
    return found[0].entry_id if found else value


def _is_entry(hass: HomeAssistant, value: str) -> bool:
    entry = hass.config_entries.async_get_entry(value)
    return entry is not None and entry.domain == DOMAIN


def _address_people(hass: HomeAssistant, values: Sequence[str]) -> list[Recipient]:
    found: list[Recipient] = []
    for value in values:
        match async_find(hass, value):
            case Contact() as contact:
                found.append(_address_contact(contact))
            case Group() as group:
                found.extend(_address_group(hass, group))
            case None:
                error = AddressError("no_contact", show(value))
                found.append(Recipient(to=show(value), line=None, error=error))
    return found


def _address_contact(contact: Contact) -> Recipient:
    return Recipient(to=contact.numbers[0], line=contact.entry_id, contact=contact)


def _address_group(hass: HomeAssistant, group: Group) -> list[Recipient]:
    members = async_directory(hass).members(group)
    if not members:
        error = AddressError("group_empty", group.name)
        return [Recipient(to=group.name, line=group.entry_id, error=error)]
    return [_address_contact(each) for each in members]


def _address_number(hass: HomeAssistant, line: str | None, value: object) -> Recipient:
    try:
        number = parse_number(value, hass.config.country)
    except InvalidNumberError as err:
        return Recipient(to=show(err.value), line=line, error=err)
    contact = async_directory(hass).find_sender(number, line)
    return Recipient(to=number, line=line, contact=contact)


def _try_number(hass: HomeAssistant, value: str) -> str | None:
    try:
        return parse_number(value, hass.config.country)
    except InvalidNumberError:
        return None
