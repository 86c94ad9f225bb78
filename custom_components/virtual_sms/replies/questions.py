"""Ask people, and wait for the first answer that is one of the choices."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.json import JsonObjectType
from homeassistant.util.signal_type import SignalType

from ..actions.addressing import Recipient
from ..actions.planned import (
    Planned,
    async_find_planned,
    async_may_answer,
    async_refuse_locked,
    async_say_to,
    async_send_planned,
    new_message_id,
)
from ..actions.sending import Failed, async_explain_end
from ..adapters.models import DeliveryStatus
from ..bus import EventData, Unquoted
from ..const import DOMAIN
from ..core.answer_matching import find_choice, list_choices
from ..core.person import Person
from ..core.questions import Answer, Asked, Question, Questions, QuestionState, Turn
from ..core.waiting import has_ended_badly
from ..home_file import KEEP, HomeFile, async_is_written, read_all
from ..lines import async_withdraw
from ..runtime import VirtualSmsConfigEntry
from ..store.changes import CallChanged, StatusChanged
from ..store.home import Kind
from .answering import Incoming, Match
from .deadline_timer import DeadlineTimer
from .question_report import async_redact, describe_answer, describe_recipient

EVENT_ANSWERED: Final = f"{DOMAIN}_answered"
SIGNAL_ANSWERED: Final[SignalType[Unquoted[EventData]]] = SignalType(
    f"{DOMAIN}_answered"
)
"""Sent with the whole data of the event, whatever the privacy option."""

type Send = Callable[[Question, Asked], Awaitable[None]]


class QuestionDesk:
    """The questions of a home: who is asked when, and who waits for the answer."""

    def __init__(self, hass: HomeAssistant, file: HomeFile) -> None:
        """Know none before `async_load`."""
        self._hass = hass
        self._file = file
        self._questions = Questions()
        self._loaded: Sequence[Question] = ()
        self._callers: dict[str, asyncio.Future[None]] = {}
        self._states: dict[str, DeliveryStatus] = {}
        self._failures: dict[tuple[str, str], Failed] = {}
        self._is_ready = False
        """Nothing expires before it is known who has answered in time."""
        self._waiting: set[tuple[str, str]] = set()
        """Whose line was at rest after a restart: nobody knows whether they were asked."""
        self._timer = DeadlineTimer(hass, file.clock, self._async_expire)

    async def async_load(self) -> None:
        """Take up what an earlier run left."""
        rows = await self._file.async_load(Kind.QUESTION)
        self._loaded = read_all(rows, Question.read)
        self._questions = Questions(self._loaded)

    async def async_resume(self) -> None:
        """Go on with it, once the home has started, and its numbers are set up."""
        loaded, self._loaded = self._loaded, ()
        for question in loaded:
            if question.is_due_for_publishing:
                self._async_spawn_publish(question)
            for each in question.recipients if question.is_open else ():
                await self._async_resume(question, each)

    @callback
    def async_begin(self) -> None:
        """Close what has come to its deadline, once it is known who has answered."""
        self._is_ready = True
        self._async_expire()

    @callback
    def async_list_over(self, line: str) -> Sequence[str]:
        """List the messages by a line whose question is closed."""
        return self._questions.list_over(line)

    @callback
    def async_resume_line(self, line: str) -> None:
        """Go on with what waited for a number that is at work now."""
        for question in self._questions.open:
            for each in question.recipients:
                place = (question.question_id, each.person.key)
                if each.person.line == line and place in self._waiting:
                    self._waiting.remove(place)
                    self._async_spawn(self._async_resume(question, each))

    async def async_ask(self, question: Question) -> Question:
        """Ask a question, and return it when it is closed.

        When the caller is gone before, it goes on by itself.
        """
        question_id = question.question_id
        content = question.write()
        await self._file.async_store(Kind.QUESTION, question_id, content)
        self._questions.put(question)
        caller = asyncio.get_running_loop().create_future()
        self._callers[question_id] = caller
        try:
            self._async_go_on()
            await caller
        finally:
            del self._callers[question_id]
        return self._questions.get(question_id)

    @callback
    def async_list_failures(self, question: Question) -> list[tuple[Recipient, Failed]]:
        """List whom nothing was sent to, and why."""
        return [
            (Recipient(to=each.person.shown, line=each.person.line), failure)
            for each in question.recipients
            if (failure := self._failures.get((question.question_id, each.person.key)))
        ]

    @callback
    def async_find_taken(self, message_id: str) -> str | None:
        """Return the question that a message has answered already."""
        question = self._questions.find_answered(message_id)
        return question.question_id if question else None

    @callback
    def async_find(self, incoming: Incoming) -> Match | None:
        """Return the question that a message answers."""
        found = self._find_asked(incoming)
        choice = found and find_choice(incoming.text, found[0].choices)
        if found is None or choice is None:
            return None
        question, asked = found

        def take() -> None:
            self._async_take(question, incoming, choice.choice_id)

        at = asked.at or question.asked_at
        return Match(item_id=question.question_id, at=at, take=take)

    @callback
    def async_miss(self, incoming: Incoming) -> None:
        """Repeat the choices once for who was asked, and meant none of them."""
        found = self._find_asked(incoming)
        if found is None or found[1].reminder_id is not None:
            return
        question, asked = found
        reminded = replace(asked, reminder_id=new_message_id())
        writing = self._async_put(question.remind(reminded))
        self._async_spawn(
            self._async_send(self._async_remind, question, reminded, writing)
        )

    def _find_asked(self, incoming: Incoming) -> tuple[Question, Asked] | None:
        found = self._questions.find_writer(incoming.sender, incoming.contact_id)
        if found is None or not incoming.may_answer(found[1].at or found[0].asked_at):
            return None
        return found

    @callback
    def _async_take(self, question: Question, incoming: Incoming, choice: str) -> None:
        answer = Answer(
            answer_id=choice,
            text=incoming.text,
            number=incoming.sender,
            contact=incoming.contact,
            contact_id=incoming.contact_id,
            line=incoming.line,
            received_at=incoming.received.message.received_at.isoformat(),
            message_id=incoming.message_id,
        )
        self._async_spawn_publish(question.take(answer))

    @callback
    def _async_spawn_publish(self, question: Question) -> None:
        writing = self._async_put(question)
        self._async_spawn(self._async_publish(question, writing))

    async def _async_publish(
        self, question: Question, writing: asyncio.Future[None]
    ) -> None:
        """Publish an answer that is on disk, then note that it was published."""
        if not await async_is_written(writing):
            return
        question_id = question.question_id
        own = {
            "question_id": question_id,
            "tag": question.tag,
            "attended": question_id in self._callers,
        }
        answer = self.async_describe(question)
        whole = Unquoted({**own, **answer})
        async_dispatcher_send(self._hass, SIGNAL_ANSWERED, whole)
        shown = async_redact(self._hass, question, answer)
        self._hass.bus.async_fire(EVENT_ANSWERED, {**own, **shown})
        self._async_put(question.publish())
        self._async_close(question_id)
        self._async_go_on()

    @callback
    def async_describe(
        self, question: Question, others: Sequence[JsonObjectType] = ()
    ) -> JsonObjectType:
        """Return what a response says of a question, of who was asked, and of others."""
        recipients = [
            describe_recipient(
                each,
                self._states.get(each.message_id or ""),
                self._failures.get((question.question_id, each.person.key)),
            )
            for each in question.recipients
        ]
        return {**describe_answer(question), "recipients": [*recipients, *others]}

    @callback
    def _async_go_on(self) -> None:
        """Ask everybody whose turn it is, and wait for the next deadline."""
        now = self._file.clock.now()
        for question, people in self._questions.take_turns(new_message_id, now):
            writing = self._async_put(question)
            for each in people:
                self._async_spawn(
                    self._async_send(self._async_hand_over, question, each, writing)
                )
        self._timer.async_set(self._questions.next_deadline)

    async def _async_send(
        self,
        send: Send,
        question: Question,
        asked: Asked,
        writing: asyncio.Future[None],
    ) -> None:
        """Send somebody something, after it was written down that it is sent."""
        if await async_is_written(writing):
            await send(question, asked)

    async def _async_resume(self, question: Question, asked: Asked) -> None:
        """Send somebody what a crash kept from being sent, and nothing else."""
        sends = {
            asked.message_id: self._async_hand_over,
            asked.reminder_id: self._async_remind,
        }
        for message_id, send in sends.items():
            if message_id is None or asked.turn is not Turn.ASKED:
                continue
            found = await async_find_planned(self._hass, asked.person, message_id)
            if found is Planned.UNKNOWN:
                self._waiting.add((question.question_id, asked.person.key))
            elif found is Planned.UNSENT:
                await send(question, asked)

    async def _async_hand_over(self, question: Question, asked: Asked) -> None:
        if not self._questions.get(question.question_id).is_open:
            return
        person, message_id = asked.person, str(asked.message_id)
        failed = async_refuse_locked(self._hass, person) or await async_send_planned(
            self._hass, person, message_id, question.text
        )
        if failed is not None:
            self._async_fail(question.question_id, person, failed)

    async def _async_remind(self, question: Question, asked: Asked) -> None:
        """Send somebody the choices once more."""
        person = asked.person
        if not self._questions.get(question.question_id).is_open:
            return
        if not await async_may_answer(self._hass, person):
            return
        words = {"choices": list_choices(question.choices)}
        text = await async_say_to(self._hass, person, "question_choices", words)
        message_id = str(asked.reminder_id)
        await async_send_planned(self._hass, person, message_id, text)

    @callback
    def async_follow(
        self, entry: VirtualSmsConfigEntry, change: StatusChanged | CallChanged
    ) -> None:
        """Ask nobody any longer whom the question did not reach."""
        if isinstance(change, CallChanged):
            return
        found = self._questions.find_asked(change.message_id)
        if found is None:
            return
        self._states[change.message_id] = change.status
        if has_ended_badly(change.status):
            failed = async_explain_end(self._hass, entry.entry_id, change)
            self._async_fail(found[0].question_id, found[1].person, failed)

    @callback
    def _async_fail(self, question_id: str, person: Person, why: Failed) -> None:
        self._failures[question_id, person.key] = why
        question = self._questions.get(question_id).fail(person.key)
        self._async_put(question)
        if not question.is_open:
            self._async_close(question_id)
        self._async_go_on()

    @callback
    def async_end_all(self) -> None:
        """Close all questions: there is no number left that could be answered."""
        for question in self._questions.open:
            self._async_put(question.end(QuestionState.EXPIRED))
            self._async_close(question.question_id)

    @callback
    def _async_expire(self) -> None:
        """Close what has come to its deadline."""
        if not self._is_ready:
            return
        self._file.async_note_clock()
        for question in self._questions.expire(self._file.clock.now()):
            self._async_put(question)
            self._async_close(question.question_id)
        self._async_forget_old()
        self._async_go_on()

    @callback
    def _async_forget_old(self) -> None:
        """Forget what nobody can ask for any more."""
        for question in self._questions.take_old(self._file.clock.now() - KEEP):
            self._file.async_delete(Kind.QUESTION, question.question_id)
            for each in question.recipients:
                self._states.pop(each.message_id or "", None)
                self._failures.pop((question.question_id, each.person.key), None)

    @callback
    def _async_close(self, question_id: str) -> None:
        """Let the caller know, if there is one, and have nobody asked any more."""
        for line, message_id in self._questions.get(question_id).list_messages():
            self._async_spawn(async_withdraw(self._hass, line, message_id))
        caller = self._callers.get(question_id)
        if caller is not None and not caller.done():
            caller.set_result(None)

    @callback
    def _async_put(self, question: Question) -> asyncio.Future[None]:
        """Remember a question as it is now, and begin to write it."""
        self._questions.put(question)
        return self._file.async_save(
            Kind.QUESTION, question.question_id, question.write()
        )

    @callback
    def _async_spawn(self, work: Coroutine[object, object, None]) -> None:
        self._hass.async_create_background_task(work, f"{DOMAIN} question")


QUESTIONS: HassKey[QuestionDesk] = HassKey(f"{DOMAIN}_questions")
