"""Have a contact's assistant answer what they write, and text them its answer."""

import asyncio
from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.intent import IntentResponseErrorCode

from .actions.addressing import Recipient
from .actions.planned import async_list_own_numbers, async_may_answer, async_say_to
from .actions.send_request import SendRequest
from .actions.sending import Failed, async_send_to
from .assist_user import NotAllowedError, async_find_user
from .bus import EventData, async_listen
from .const import DOMAIN
from .core.assist import Conversations, Place, Turns, is_for_assistant
from .core.contacts import Contact
from .core.person import Person
from .core.short_answer import MOST_SEGMENTS, write_answer
from .people.contact_issues import (
    async_clear_assist_missing,
    async_raise_assist_missing,
)
from .people.contacts import SIGNAL_PEOPLE, async_directory, device_identifier
from .runtime import VirtualSmsConfigEntry
from .store.changes import Change, Received

if TYPE_CHECKING:
    from homeassistant.components.conversation import ConversationResult

_LOGGER = logging.getLogger(__name__)

ANSWER_WITHIN: Final = 60.0
"""Seconds that an assistant may think."""
_INSTRUCTION: Final = (
    "The user writes by SMS and reads the answer on a simple phone. Answer in the "
    "language with the code {language}, in one or two short sentences of plain text "
    "with at most 200 characters in all. Use no markup, no lists, no emoji, no links."
)


class AssistError(Exception):
    """There is no answer; `key` is the sentence that says so."""

    def __init__(self, key: str) -> None:
        """Name the sentence."""
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a contact wrote, by which line, and who is to answer it."""

    contact: Contact
    person: Person
    text: str = field(repr=False)
    agent: str

    @property
    def contact_id(self) -> str:
        """Return the id of the contact."""
        return self.contact.contact_id


class AssistDesk:
    """The assistants of a home's contacts: each contact has one conversation."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Follow what is written, and who is changed."""
        self._hass = hass
        self._turns: Turns[Asked] = Turns()
        self._conversations = Conversations()
        self._users = asyncio.Lock()
        self._unanswered: set[str] = set()
        async_listen(hass, None, self._async_handle)
        async_dispatcher_connect(hass, SIGNAL_PEOPLE, self._async_clear_issues)

    @callback
    def _async_handle(
        self, entry: VirtualSmsConfigEntry, change: Change, data: EventData
    ) -> None:
        """Take what is for an assistant; it is answered after what came before it."""
        if not isinstance(change, Received):
            return
        contact = async_directory(self._hass).get_contact(change.contact_id or "")
        if contact is None or contact.assist is None:
            return
        own = async_list_own_numbers(self._hass)
        if not is_for_assistant(change, data["answer_to"], own):
            return
        sender, line = change.message.sender, entry.entry_id
        asked = Asked(
            contact=contact,
            person=Person(number=sender, line=line, contact_id=contact.contact_id),
            text=change.message.text.strip(),
            agent=contact.assist,
        )
        place = self._turns.take_place(contact.contact_id, asked)
        if place is not Place.WAITS:
            work = self._async_work if place is Place.FIRST else self._async_refuse
            self._hass.async_create_background_task(work(asked), f"{DOMAIN} assist")

    async def _async_work(self, first: Asked) -> None:
        """Answer what a contact has written, until nothing of it is left."""
        while asked := self._turns.take_next(first.contact_id):
            try:
                if self._is_still_wanted(asked):
                    await self._async_text(asked, await self._async_find_answer(asked))
            # Whatever it is, the next message is to be answered. What went wrong may
            # quote the text, so no more than its kind is logged.
            except Exception as err:  # noqa: BLE001  # see above
                _LOGGER.warning("Assist could not answer: %s", type(err).__name__)

    def _is_still_wanted(self, asked: Asked) -> bool:
        """Say whether a contact may command as they did when they wrote."""
        contact = async_directory(self._hass).get_contact(asked.contact_id)
        return contact is not None and contact.assist == asked.agent

    async def _async_refuse(self, asked: Asked) -> None:
        """Let a contact know that this was one too many at a time."""
        await self._async_text(asked, await self._async_say(asked, "assist_busy"))

    async def _async_find_answer(self, asked: Asked) -> str:
        """Return what is to be texted: the assistant's answer, or why there is none."""
        try:
            result = await self._async_converse(asked)
        except AssistError as err:
            _LOGGER.warning("Assist has not answered a contact: %s", err.key)
            return await self._async_say(asked, err.key)
        self._conversations.note(asked.contact_id, asked.agent, result.conversation_id)
        return write_answer(_read(result)) or await self._async_say(
            asked, "assist_done"
        )

    async def _async_converse(self, asked: Asked) -> ConversationResult:
        """Ask the assistant, and wait for no longer than a person would."""
        self._require_agent(asked)
        context = await self._async_create_context(asked)
        # It is not waited for when it does not let itself be cancelled.
        task = self._hass.async_create_background_task(
            self._async_ask(asked, context), f"{DOMAIN} assist"
        )
        try:
            await asyncio.wait([task], timeout=ANSWER_WITHIN)
        finally:
            task.cancel()
        if not task.done():
            task.add_done_callback(_read_exception)
            raise AssistError("assist_slow")
        return _require_answer(task)

    async def _async_ask(self, asked: Asked, context: Context) -> ConversationResult:
        from homeassistant.components.conversation import async_converse  # noqa: PLC0415  # only a home with Assist has it

        language = asked.contact.language or self._hass.config.language
        return await async_converse(
            self._hass,
            asked.text,
            self._conversations.get(asked.contact_id, asked.agent),
            context,
            language=language,
            agent_id=asked.agent,
            device_id=self._find_device(asked.contact),
            extra_system_prompt=_INSTRUCTION.format(language=language),
        )

    def _require_agent(self, asked: Asked) -> None:
        """Raise, with a repair, if the agent is not there (any more)."""
        if _has_agent(self._hass, asked.agent):
            self._unanswered.discard(asked.contact_id)
            async_clear_assist_missing(self._hass, asked.contact_id)
            return
        self._unanswered.add(asked.contact_id)
        async_raise_assist_missing(self._hass, asked.contact)
        raise AssistError("assist_missing")

    async def _async_create_context(self, asked: Asked) -> Context:
        try:
            async with self._users:
                user = await async_find_user(self._hass, asked.contact)
        except NotAllowedError as err:
            raise AssistError("assist_refused") from err
        return Context(user_id=user.id)

    def _find_device(self, contact: Contact) -> str | None:
        identifier = device_identifier(contact)
        registry = dr.async_get(self._hass)
        device = registry.async_get_device_by_identifier(identifier, contact.entry_id)
        return device.id if device else None

    async def _async_say(self, asked: Asked, key: str) -> str:
        return await async_say_to(self._hass, asked.person, key, {})

    async def _async_text(self, asked: Asked, text: str) -> None:
        """Text an answer to where the message came from, by the line it came to."""
        person = asked.person
        if not await async_may_answer(self._hass, person):
            _LOGGER.warning(
                "An answer of Assist was not sent: there were enough lately"
            )
            return
        recipient = Recipient(to=person.number, line=person.line, contact=asked.contact)
        request = SendRequest(text=text, simplify=True, max_segments=MOST_SEGMENTS)
        result = await async_send_to(self._hass, recipient, request)
        if isinstance(result, Failed):
            _LOGGER.warning("An answer of Assist was not sent: %s", result.reason)

    @callback
    def _async_clear_issues(self) -> None:
        """Take back what may have been put right by a change of the contact."""
        for contact_id in self._unanswered:
            async_clear_assist_missing(self._hass, contact_id)
        self._unanswered.clear()


def _has_agent(hass: HomeAssistant, agent: str) -> bool:
    """Say whether there is such an agent; none is where Assist is not set up."""
    if "conversation" not in hass.config.components:
        return False
    # Only a home with Assist has what this needs.
    from homeassistant.components.conversation import async_get_agent_info  # noqa: PLC0415  # see above

    return async_get_agent_info(hass, agent) is not None


def _require_answer(task: asyncio.Task[ConversationResult]) -> ConversationResult:
    """Return how it was answered; raises if by nothing but the agent's own troubles."""
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is not None:
        _LOGGER.warning("An assistant has failed: %s", type(error).__name__)
        raise AssistError("assist_failed")
    result = task.result()
    if result.response.error_code is IntentResponseErrorCode.UNKNOWN:
        raise AssistError("assist_failed")
    return result


def _read(result: ConversationResult) -> str:
    """Return what the agent says."""
    return str(result.response.speech.get("plain", {}).get("speech") or "")


def _read_exception(task: asyncio.Task[ConversationResult]) -> None:
    """Take note of how it ended, for nobody waits for it any more."""
    if not task.cancelled():
        task.exception()
