"""Send what was planned before: with an id that was written down first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
import sqlite3
from typing import Final
from uuid import uuid4

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_translations

from ..adapters.errors import SmsError
from ..const import CONF_NUMBER, DOMAIN
from ..core.answers import Answers
from ..core.outbox import Plan
from ..core.person import Person
from ..entry_data import EntryData
from ..error_messages import say
from ..lines import async_find_gateway, async_find_loaded
from ..people.contacts import async_directory
from ..people.trust import async_trust
from ..store.changes import CallChanged, StatusChanged
from ..store.database import DatabaseClosedError
from .addressing import Recipient
from .calling import CallRequest, WaitForCall, async_call_to, async_can_call
from .composing import write_text
from .send_request import SendRequest
from .sending import Failed, async_send_to, fail
from .sending_errors import trouble

_LOCKED: Final = "locked"
_REPEAT = 2
_RUN: Final = uuid4().hex[:8]
"""How the ids of this run begin."""


class Planned(Enum):
    """What the state of something planned does not show.

    UNSENT: it surely never got to its line. UNKNOWN: its line is at rest.
    """

    UNSENT = "unsent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said to somebody who is called, and the key that they acknowledge by."""

    text: str = field(repr=False)
    digit: str


def new_message_id() -> str:
    """Choose the id of a message that is written down before it is handed over."""
    return _RUN + uuid4().hex[len(_RUN) :]


@callback
def async_refuse_locked(hass: HomeAssistant, person: Person) -> Failed | None:
    """Return why somebody is neither asked nor alarmed, if they are locked.

    Nothing that they answer is believed, so that others would wait for nothing.
    """
    if not async_trust(hass).is_locked(person.contact_id):
        return None
    return Failed(sentence=say(hass, trouble("contact_locked")), reason=_LOCKED)


async def async_send_planned(
    hass: HomeAssistant, person: Person, message_id: str, text: str
) -> Failed | None:
    """Send a message, and return why that surely fails; None if it is on its way.

    One that was planned by an earlier run may have left just before that ended: it is
    looked for at the provider first.
    """
    is_ours = message_id.startswith(_RUN)
    request = SendRequest(
        text=text,
        is_critical=True,
        planned_id=message_id,
        plan=Plan.OF_THIS_RUN if is_ours else Plan.OF_EARLIER_RUN,
    )
    result = await async_send_to(hass, _address(hass, person), request)
    return result if isinstance(result, Failed) else None


async def async_call_planned(
    hass: HomeAssistant, person: Person, call_id: str, spoken: Spoken, text: str
) -> Failed | None:
    """Call somebody, and return as `async_send_planned` does.

    Whose line cannot call, or cannot learn which key is pressed, is texted. So they are
    where the disk takes no call, which is never made without being written down.
    """
    recipient = _address(hass, person)
    request = _ask_for_call(spoken, call_id)
    if not await async_can_call(hass, recipient, request):
        return await async_send_planned(hass, person, call_id, text)
    result = await async_call_to(hass, recipient, request)
    if not isinstance(result, Failed):
        return None
    if result.is_unwritten:
        return await async_send_planned(hass, person, call_id, text)
    return result


async def async_foresee_refusal(
    hass: HomeAssistant, person: Person, text: str, spoken: Spoken | None = None
) -> Failed | None:
    """Return why a text can surely neither be sent to somebody nor spoken, if so.

    A line at rest may be able to when it is at work.
    """
    recipient = _address(hass, person)
    if spoken and await async_can_call(hass, recipient, _ask_for_call(spoken, None)):
        return None
    entry = async_find_loaded(hass, person.line)
    if entry is None:
        return None
    try:
        written = write_text(entry, SendRequest(text=text))
        entry.runtime_data.gateway.outbox.compose(person.number, written)
    except SmsError as err:
        return fail(hass, EntryData.of(entry).provider, err)
    return None


def _ask_for_call(spoken: Spoken, call_id: str | None) -> CallRequest:
    return CallRequest(
        text=spoken.text,
        repeat=_REPEAT,
        digit=spoken.digit,
        wait_for=WaitForCall.ACCEPTED,
        timeout=timedelta(),
        is_critical=True,
        planned_id=call_id,
    )


async def async_find_planned(
    hass: HomeAssistant, person: Person, planned_id: str
) -> StatusChanged | CallChanged | Planned:
    """Return where a planned message or call stands.

    What a line has it sees to by itself; what a line at rest has nobody knows.
    """
    gateway = async_find_gateway(hass, person.line)
    if gateway is None:
        return Planned.UNKNOWN
    store = gateway.store
    try:
        found = await store.outbound.find(planned_id) or await store.calls.find(
            planned_id
        )
    except DatabaseClosedError, sqlite3.Error:
        return Planned.UNKNOWN
    return found or Planned.UNSENT


async def async_may_answer(hass: HomeAssistant, person: Person) -> bool:
    """Say whether an answer of our own may go to somebody, which is counted then.

    Who answers a machine may be a machine, so there are a few within a while only.
    """
    gateway = async_find_gateway(hass, person.line)
    if gateway is None:
        return False
    own = async_list_own_numbers(hass)
    try:
        return await Answers(gateway.store.answers, lambda: own).may_answer(
            person.number
        )
    except DatabaseClosedError, sqlite3.Error:
        return False


@callback
def async_list_own_numbers(hass: HomeAssistant) -> set[str]:
    """Return the numbers of all lines of this home."""
    entries = hass.config_entries.async_entries(DOMAIN)
    return {each.data[CONF_NUMBER] for each in entries}


def _address(hass: HomeAssistant, person: Person) -> Recipient:
    """Return where somebody is texted now: a contact may have other numbers by then."""
    contact = async_directory(hass).get_contact(person.contact_id or "")
    number = person.number
    if contact is not None and number not in contact.numbers:
        number = contact.numbers[0]
    return Recipient(to=number, line=person.line, contact=contact)


async def async_say_to(
    hass: HomeAssistant, person: Person, key: str, words: Mapping[str, str]
) -> str:
    """Return a sentence of ours in the language of somebody."""
    contact = async_directory(hass).get_contact(person.contact_id or "")
    language = (contact and contact.language) or hass.config.language
    texts = await async_get_translations(hass, language, "common", [DOMAIN])
    return texts[f"component.{DOMAIN}.common.{key}"].format(**words)
