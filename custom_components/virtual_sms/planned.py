"""Send what was planned before: a message with an id that was written down first."""

from collections.abc import Mapping
import sqlite3
from typing import Final
from uuid import uuid4

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .addressing import Recipient
from .const import CONF_NUMBER, DOMAIN
from .contacts import async_directory
from .core.answers import Answers
from .core.person import Person
from .lines import async_find_gateway, async_look_up
from .sending import Failed, SendRequest, async_send_to
from .store.database import DatabaseClosedError

_RUN: Final = uuid4().hex[:8]
"""How the ids of this run begin."""


def new_message_id() -> str:
    """Choose the id of a message that is written down before it is handed over."""
    return _RUN + uuid4().hex[len(_RUN) :]


async def async_send_planned(
    hass: HomeAssistant, person: Person, message_id: str, text: str
) -> Failed | None:
    """Send a message, and return why that surely fails; None if it is on its way.

    One that was planned by an earlier run may have left just before that ended: it is
    looked for at the provider first.
    """
    contact = async_directory(hass).get_contact(person.contact_id or "")
    recipient = Recipient(to=person.number, line=person.line, contact=contact)
    request = SendRequest(
        text=text,
        is_critical=True,
        planned_id=message_id,
        may_have_left=not message_id.startswith(_RUN),
    )
    result = await async_send_to(hass, recipient, request)
    return result if isinstance(result, Failed) else None


async def async_is_unsent(hass: HomeAssistant, person: Person, message_id: str) -> bool:
    """Say whether a planned message surely never got to its line.

    What a line has it sees to by itself; what a line at rest has nobody knows.
    """
    if async_find_gateway(hass, person.line) is None:
        return False
    return await async_look_up(hass, person.line, message_id) is None


async def async_may_answer(hass: HomeAssistant, person: Person) -> bool:
    """Say whether an answer of our own may go to somebody, which is counted then.

    Who answers a machine may be a machine, so there are a few within a while only.
    """
    gateway = async_find_gateway(hass, person.line)
    if gateway is None:
        return False
    entries = hass.config_entries.async_entries(DOMAIN)
    own = {each.data[CONF_NUMBER] for each in entries}
    try:
        return await Answers(gateway.store.answers, lambda: own).may_answer(
            person.number
        )
    except DatabaseClosedError, sqlite3.Error:
        return False


async def async_say_to(
    hass: HomeAssistant, person: Person, key: str, words: Mapping[str, str]
) -> str:
    """Return a sentence of ours in the language of somebody."""
    contact = async_directory(hass).get_contact(person.contact_id or "")
    language = (contact and contact.language) or hass.config.language
    texts = await async_get_translations(hass, language, "common", [DOMAIN])
    return texts[f"component.{DOMAIN}.common.{key}"].format(**words)
