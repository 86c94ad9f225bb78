"""Whom an action is for: the fields that say so, and who that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, callback, valid_entity_id
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
from homeassistant.util.json import JsonObjectType

from ..adapters.plain_text import clean
from ..const import DOMAIN
from ..core.answer_matching import normalize
from ..core.person import Person
from ..number_tables import async_load_tables
from .addressing import Recipient, async_address, async_find_line
from .sending import Failed, describe_result, fail, require_recipient

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

ATTR_CONTACTS: Final = "contacts"
ATTR_TO: Final = "to"
CLEAN_TEXT: Final = vol.All(cv.string, clean)
"""A text that stands in events as it is given."""


def list_given(value: object) -> list[object]:
    """List what is given: one, many, or what templates gave, such as lists in a list."""
    return [] if value is None else _flatten(value)


def _flatten(value: object) -> list[object]:
    if isinstance(value, list | tuple | set):
        return [one for each in value for one in _flatten(each)]
    return [value]


def list_contacts(given: list[object]) -> list[str]:
    """List contacts as they are named; entities may stand in one text, as elsewhere."""
    return [name for each in given for name in _split_entities(str(each))]


def _split_entities(text: str) -> list[str]:
    """Return several entities that a comma parts; a name may have one as well."""
    ids = [each.strip().lower() for each in text.split(",")]
    return ids if all(map(valid_entity_id, ids)) else [text]


# A recipient may be anything: one that cannot be read must not keep the others
# from their message.
PEOPLE_FIELDS: Final[dict[vol.Marker, Any]] = {
    vol.Optional(ATTR_CONTACTS, default=list): vol.All(list_given, list_contacts),
    vol.Optional(ATTR_TO, default=list): list_given,
}


def written_text(value: object) -> str:
    """Return a text as it was written; raises vol.Invalid if that is not known any more."""
    if isinstance(value, bool):
        raise vol.Invalid("Put yes, no, on and off in quotes: YAML reads true or false")
    return cv.string(value)


def answer_text(value: object) -> str:
    """Return what somebody can answer by a text; raises vol.Invalid if nobody can."""
    text = written_text(value)
    if not normalize(text):
        raise vol.Invalid("An answer needs a word or a sign")
    return text


async def async_load_numbers(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Load what it takes to read the numbers of an action, unless that is loaded."""
    lines = [data[ATTR_CONFIG_ENTRY_ID]] if ATTR_CONFIG_ENTRY_ID in data else []
    await async_load_tables(hass, [*data.get(ATTR_TO, ()), *lines])


@callback
def async_find_entry(
    hass: HomeAssistant, value: str | None, *, may_rest: bool = False
) -> str:
    """Return the id of an entry that is named in any way; raises if there is none.

    It has to be at work, unless it `may_rest`.
    """
    line = async_find_line(hass, value)
    entry = hass.config_entries.async_get_entry(line)
    if not may_rest or entry is None or entry.domain != DOMAIN:
        async_get_config_entry(hass, DOMAIN, line)
    return line


@callback
def async_find_sender(
    hass: HomeAssistant, data: Mapping[str, Any], *, may_rest: bool = False
) -> str | None:
    """Return which number sends; contacts alone need none, they have their own.

    It `may_rest` where something can be done without it, such as for contacts.
    """
    if not data[ATTR_TO]:
        return None
    may_rest = may_rest or bool(data[ATTR_CONTACTS])
    return async_find_entry(hass, data.get(ATTR_CONFIG_ENTRY_ID), may_rest=may_rest)


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who can be texted, and who cannot, with the reason."""

    people: tuple[Person, ...]
    wrong: Sequence[tuple[Recipient, Failed]]

    def describe_wrong(self) -> list[JsonObjectType]:
        """Return what a response says of those who cannot be texted."""
        return [describe_result(*each) for each in self.wrong]


@callback
def async_find_people(
    hass: HomeAssistant, line: str | None, data: Mapping[str, Any]
) -> Addressed:
    """Find everybody once; raises if nobody is named."""
    recipients = async_address(hass, line, data[ATTR_TO], data[ATTR_CONTACTS])
    require_recipient(recipients)
    return Addressed(
        people=tuple(_read_person(each) for each in recipients if not each.error),
        wrong=[(each, fail(hass, "", each.error)) for each in recipients if each.error],
    )


def _read_person(recipient: Recipient) -> Person:
    contact = recipient.contact
    return Person(
        number=recipient.to,
        line=str(recipient.line),
        contact_id=contact.contact_id if contact else None,
        name=contact.name if contact else None,
    )
