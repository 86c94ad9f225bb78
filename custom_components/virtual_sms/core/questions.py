"""Questions that wait for an answer, each of them until its deadline.

Nobody has two questions open at a time: the next one is asked when the one before is
closed. Whatever is to be sent is planned, with its id, before it is sent: so a crash
leaves nobody without the question, and nobody with two.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
import json
from typing import Any, Self

from .answer_matching import Choice
from .person import Person


class Turn(StrEnum):
    """Where somebody stands with a question."""

    WAITING = "waiting"
    ASKED = "asked"
    FAILED = "failed"


class QuestionState(StrEnum):
    """Where a question stands."""

    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    FAILED = "failed"
    """There is nobody left who could answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody who is asked, with the id of the message that does."""

    person: Person
    turn: Turn = Turn.WAITING
    message_id: str | None = None
    at: datetime | None = None
    reminder_id: str | None = None
    """The message that sends them the choices once more."""

    def write(self) -> dict[str, Any]:
        """Return what is stored."""
        at = self.at and self.at.timestamp()
        return {
            "person": self.person.write(),
            "turn": self.turn,
            "message_id": self.message_id,
            "at": at,
            "reminder_id": self.reminder_id,
        }

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Self:
        """Read what is stored."""
        at = stored["at"]
        return cls(
            person=Person.read(stored["person"]),
            turn=Turn(stored["turn"]),
            message_id=stored["message_id"],
            at=None if at is None else datetime.fromtimestamp(at, UTC),
            reminder_id=stored.get("reminder_id"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody answered, by the line of which entry, and when."""

    answer_id: str
    text: str = field(repr=False)
    number: str = field(repr=False)
    contact: str | None = field(repr=False)
    contact_id: str | None
    line: str
    received_at: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and who is asked; all times are those of the store."""

    question_id: str
    tag: str | None
    text: str = field(repr=False)
    choices: tuple[Choice, ...] = field(repr=False)
    asked_at: datetime
    deadline: datetime
    recipients: tuple[Asked, ...]
    state: QuestionState = QuestionState.OPEN
    answer: Answer | None = None
    is_published: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether it waits for an answer."""
        return self.state is QuestionState.OPEN

    @property
    def is_due_for_publishing(self) -> bool:
        """Say whether its answer is yet to be published."""
        return self.answer is not None and not self.is_published

    def find_writer(self, sender: str, contact_id: str | None) -> Asked | None:
        """Return who has been asked, if they are the sender."""
        for each in self.recipients:
            if each.turn is Turn.ASKED and each.person.is_writer(sender, contact_id):
                return each
        return None

    def list_waiting(self) -> list[str]:
        """List who is yet to be asked."""
        return [
            each.person.key for each in self.recipients if each.turn is Turn.WAITING
        ]

    def list_busy(self) -> list[str]:
        """List whom it keeps from being asked a younger question."""
        return [
            each.person.key for each in self.recipients if each.turn is not Turn.FAILED
        ]

    def list_messages(self) -> list[tuple[str, str]]:
        """List by which line it has sent a message with which id."""
        return [
            (each.person.line, message_id)
            for each in self.recipients
            for message_id in (each.message_id, each.reminder_id)
            if message_id
        ]

    def ask(self, key: str, message_id: str, now: datetime) -> Self:
        """Plan to ask somebody now."""
        return self._change(key, turn=Turn.ASKED, message_id=message_id, at=now)

    def remind(self, reminded: Asked) -> Self:
        """Plan to send somebody the choices once more."""
        return self._change(reminded.person.key, reminder_id=reminded.reminder_id)

    def fail(self, key: str) -> Self:
        """Note that somebody could not be asked; nobody left is the end."""
        failed = self._change(key, turn=Turn.FAILED)
        if self.is_open and all(each.turn is Turn.FAILED for each in failed.recipients):
            return failed.end(QuestionState.FAILED)
        return failed

    def take(self, answer: Answer) -> Self:
        """Close it with an answer."""
        return replace(self, state=QuestionState.ANSWERED, answer=answer)

    def end(self, state: QuestionState) -> Self:
        """Close it without an answer; its text is needed no more."""
        return replace(self, state=state, text="", choices=())

    def publish(self) -> Self:
        """Note that its answer was published; its text is needed no more."""
        return replace(self, is_published=True, text="", choices=())

    def write(self) -> str:
        """Return what is stored."""
        return json.dumps(
            {
                "question_id": self.question_id,
                "tag": self.tag,
                "text": self.text,
                "choices": [[each.choice_id, each.sentences] for each in self.choices],
                "asked_at": self.asked_at.timestamp(),
                "deadline": self.deadline.timestamp(),
                "recipients": [each.write() for each in self.recipients],
                "state": self.state,
                "answer": self.answer and asdict(self.answer),
                "is_published": self.is_published,
            }
        )

    @classmethod
    def read(cls, stored: str) -> Self:
        """Read what is stored."""
        values = json.loads(stored)
        answer = values.pop("answer")
        return cls(
            **values
            | {
                "choices": tuple(
                    Choice(choice_id=choice_id, sentences=tuple(sentences))
                    for choice_id, sentences in values["choices"]
                ),
                "asked_at": datetime.fromtimestamp(values["asked_at"], UTC),
                "deadline": datetime.fromtimestamp(values["deadline"], UTC),
                "recipients": tuple(map(Asked.read, values["recipients"])),
                "state": QuestionState(values["state"]),
                "answer": answer and Answer(**answer),
            }
        )

    def _change(self, key: str, **changes: Any) -> Self:
        return replace(
            self,
            recipients=tuple(
                replace(each, **changes) if each.person.key == key else each
                for each in self.recipients
            ),
        )


class Questions:
    """All questions that are remembered, and whose turn it is."""

    def __init__(self, questions: Iterable[Question] = ()) -> None:
        """Take what was stored."""
        self._questions = {each.question_id: each for each in questions}

    @property
    def everything(self) -> Sequence[Question]:
        """List all of them."""
        return list(self._questions.values())

    @property
    def open(self) -> Sequence[Question]:
        """List the open ones, the oldest first."""
        found = (each for each in self._questions.values() if each.is_open)
        return sorted(found, key=lambda each: each.asked_at)

    @property
    def next_deadline(self) -> datetime | None:
        """Return when the next one closes by itself."""
        return min((each.deadline for each in self.open), default=None)

    def get(self, question_id: str) -> Question:
        """Return a question."""
        return self._questions[question_id]

    def put(self, question: Question) -> Question:
        """Remember a question as it is now."""
        self._questions[question.question_id] = question
        return question

    def list_over(self, line: str) -> Sequence[str]:
        """List the messages by a line whose question is closed."""
        return [
            message_id
            for question in self._questions.values()
            for by, message_id in question.list_messages()
            if by == line and not question.is_open
        ]

    def take_old(self, before: datetime) -> list[Question]:
        """Forget what closed before some time, and return that."""
        old = [
            each
            for each in self._questions.values()
            if not each.is_open and each.deadline < before
        ]
        for each in old:
            del self._questions[each.question_id]
        return old

    def take_turns(
        self, new_id: Callable[[], str], now: datetime
    ) -> list[tuple[Question, list[Asked]]]:
        """Plan to ask everybody who has no older question open.

        Returns each question that has changed, and who is to be asked it now.
        """
        busy: set[str] = set()
        planned = []
        for question in self.open:
            keys = [each for each in question.list_waiting() if each not in busy]
            busy.update(question.list_busy())
            if keys:
                later = question
                for key in keys:
                    later = later.ask(key, new_id(), now)
                asked = [each for each in later.recipients if each.person.key in keys]
                planned.append((self.put(later), asked))
        return planned

    def expire(self, now: datetime) -> list[Question]:
        """Close what has come to its deadline, and return that."""
        return [
            self.put(each.end(QuestionState.EXPIRED))
            for each in self.open
            if now >= each.deadline
        ]

    def find_writer(
        self, sender: str, contact_id: str | None
    ) -> tuple[Question, Asked] | None:
        """Return the question that a sender has been asked."""
        for question in self.open:
            if asked := question.find_writer(sender, contact_id):
                return question, asked
        return None

    def find_answered(self, message_id: str) -> Question | None:
        """Return the question that a message has answered already."""
        for each in self._questions.values():
            if each.answer is not None and each.answer.message_id == message_id:
                return each
        return None

    def find_asked(self, message_id: str) -> tuple[Question, Asked] | None:
        """Return whom a message of ours asks, as long as that is open."""
        for question in self.open:
            for each in question.recipients:
                if each.message_id == message_id:
                    return question, each
        return None
