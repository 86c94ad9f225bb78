"""Alerts that rest only when somebody acknowledges.

An alert goes from step to step, and begins anew with the next round. It moves on when a
step has had its time, or at once when none of its messages arrives, and none of its
calls is acknowledged. What is to be sent is planned with its id before it is sent:
whatever a crash cuts short, nobody gets two texts or calls in one step.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
import json
from typing import Any, Self

from .person import Person

_KEYS = "0123456789"


class Reach(StrEnum):
    """How the people of a step are reached."""

    SMS = "sms"
    CALL = "call"


class AlertState(StrEnum):
    """What last happened to an alert."""

    STARTED = "started"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    EXHAUSTED = "exhausted"
    CANCELED = "canceled"

    @property
    def is_open(self) -> bool:
        """Say whether somebody is still to acknowledge."""
        return self in {AlertState.STARTED, AlertState.ESCALATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """People who are alarmed at the same time, and how."""

    people: tuple[Person, ...]
    reach: Reach = Reach.SMS


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """A message of an alert to somebody, or a call, in a step of a round.

    `has_failed`: nothing is to be expected of it any more. A call that was not
    acknowledged `was_heard` all the same, maybe.
    """

    person: Person
    message_id: str
    step: int
    round: int
    at: datetime
    has_failed: bool = False
    was_heard: bool = False
    reason: str | None = None
    """Why it has failed."""

    @property
    def place(self) -> tuple[int, int]:
        """Return its round and step, in the order in which they come."""
        return self.round, self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message to somebody who was alerted: who took it."""

    person: Person
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """A change of an alert, as it is published; steps and rounds count from one."""

    state: AlertState
    step: int
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an alert is to do; `step_after` is the time that each step has."""

    alert_id: str
    tag: str | None
    text: str = field(repr=False)
    steps: tuple[Step, ...]
    step_after: timedelta
    rounds: int
    words: tuple[str, ...]

    @property
    def digit(self) -> str:
        """Return the key that acknowledges a call: the first of the words that is one."""
        keys = (each for each in self.words if len(each) == 1 and each in _KEYS)
        return next(keys, "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert and how far it has come; all times are those of the store.

    `code` tells it apart from others: two open ones never have the same.
    """

    plan: Plan
    code: int
    state: AlertState = AlertState.STARTED
    step: int = 0
    round: int = 1
    began_at: datetime
    messages: tuple[AlertMessage, ...] = ()
    notices: tuple[Notice, ...] = ()
    taken_by: Person | None = None
    taken_with: str | None = None
    """The message that acknowledged it."""
    unpublished: tuple[AlertChange, ...] = ()
    ended_at: datetime | None = None

    @property
    def alert_id(self) -> str:
        """Return its id."""
        return self.plan.alert_id

    @property
    def is_open(self) -> bool:
        """Say whether somebody is still to acknowledge."""
        return self.state.is_open

    @property
    def is_unfinished(self) -> bool:
        """Say whether it has ended, but that is yet to be published, or texted."""
        return not self.is_open and bool(self.unpublished or self.plan.text)

    @property
    def lines(self) -> set[str]:
        """Return the lines that it uses."""
        return {one.line for each in self.plan.steps for one in each.people}

    @property
    def due_at(self) -> datetime:
        """Return when its step has had its time; at once if nobody is reached."""
        if all(each.has_failed for each in self.current):
            return self.began_at
        return self.began_at + self.plan.step_after

    @property
    def current(self) -> Sequence[AlertMessage]:
        """List the messages of the step that it is in."""
        return [each for each in self.messages if each.place == (self.round, self.step)]

    @property
    def pending(self) -> Sequence[AlertMessage | Notice]:
        """List what has to be with its line by now, unless a crash came before."""
        if not self.is_open:
            return self.notices
        return [each for each in self.current if not each.has_failed]

    def get_message(self, message_id: str) -> AlertMessage:
        """Return one of its messages."""
        return next(each for each in self.messages if each.message_id == message_id)

    def find_message(self, sender: str, contact_id: str | None) -> AlertMessage | None:
        """Return the last message to a sender, if they were alerted."""
        for each in reversed(self.messages):
            if each.person.is_writer(sender, contact_id):
                return each
        return None

    def list_unreached(self, change: AlertChange) -> Sequence[AlertMessage]:
        """List who was not reached in the step that ended with a change."""
        place = self._find_left(change)
        return [
            each for each in self.messages if each.place == place and each.has_failed
        ]

    def is_call(self, message: AlertMessage) -> bool:
        """Say whether somebody is to be called."""
        return self.plan.steps[message.step].reach is Reach.CALL

    def has_texted(self, person: Person) -> bool:
        """Say whether somebody was alerted."""
        return any(each.person.key == person.key for each in self.messages)

    def fail(
        self, message_id: str, reason: str | None = None, *, was_heard: bool = False
    ) -> Self:
        """Note that a message does not arrive, or that a call is not acknowledged."""
        messages = tuple(
            replace(each, has_failed=True, was_heard=was_heard, reason=reason)
            if each.message_id == message_id
            else each
            for each in self.messages
        )
        return replace(self, messages=messages)

    def restart_step(self, now: datetime) -> Self:
        """Give the step its whole time again: it could not be sent before."""
        return replace(self, began_at=now)

    def acknowledge(
        self, person: Person, message_id: str, now: datetime, new_id: Callable[[], str]
    ) -> Self:
        """Let it rest, and plan to text everybody whom it reached."""
        people = {
            each.person.key: each.person
            for each in self.messages
            if each.was_heard or not each.has_failed
        }
        taken = replace(
            self,
            taken_by=person,
            taken_with=message_id,
            notices=tuple(
                Notice(person=each, message_id=new_id()) for each in people.values()
            ),
        )
        return taken.move(AlertState.ACKNOWLEDGED, now)

    def move(self, state: AlertState, now: datetime) -> Self:
        """Bring it into a state, which is to be published."""
        change = AlertChange(state=state, step=self.step + 1, round=self.round)
        return replace(
            self,
            state=state,
            unpublished=(*self.unpublished, change),
            ended_at=None if state.is_open else now,
        )

    def publish(self, changes: Sequence[AlertChange]) -> Self:
        """Note that changes were published."""
        left = tuple(each for each in self.unpublished if each not in changes)
        return replace(self, unpublished=left)

    def strip(self) -> Self:
        """Forget its text, which nobody is sent any more."""
        return replace(self, plan=replace(self.plan, text=""), notices=())

    def _find_left(self, change: AlertChange) -> tuple[int, int] | None:
        """Return the round and step that a change ended; None if it ended none."""
        step = change.step - 1
        match change.state:
            case AlertState.STARTED:
                return None
            case AlertState.ESCALATED if step:
                return change.round, step - 1
            case AlertState.ESCALATED:
                return change.round - 1, len(self.plan.steps) - 1
        return change.round, step

    def write(self) -> str:
        """Return what is stored."""
        return json.dumps(asdict(self), default=_write_value)

    @classmethod
    def read(cls, stored: str) -> Self:
        """Read what is stored."""
        values = json.loads(stored)
        taken_by = values["taken_by"]
        return cls(
            **values
            | {
                "plan": _read_plan(values["plan"]),
                "state": AlertState(values["state"]),
                "began_at": _read_time(values["began_at"]),
                "ended_at": values["ended_at"] and _read_time(values["ended_at"]),
                "messages": tuple(map(_read_message, values["messages"])),
                "notices": tuple(map(_read_notice, values["notices"])),
                "taken_by": taken_by and Person.read(taken_by),
                "unpublished": tuple(map(_read_change, values["unpublished"])),
            }
        )


def start(plan: Plan, code: int, now: datetime, new_id: Callable[[], str]) -> Alert:
    """Begin an alert: its first step is planned, or the first that reaches somebody."""
    alert = Alert(plan=plan, code=code, began_at=now)
    return _enter(alert.move(AlertState.STARTED, now), now, new_id)


def advance(alert: Alert, now: datetime, new_id: Callable[[], str]) -> Alert:
    """Return an alert as it is now: in its step, in the next one, or at its end.

    However late it is, it goes on by one step: the next one has its time as well.
    """
    if not alert.is_open or now < alert.due_at:
        return alert
    if alert.step + 1 < len(alert.plan.steps):
        later = replace(alert, step=alert.step + 1)
    elif alert.round < alert.plan.rounds:
        later = replace(alert, step=0, round=alert.round + 1)
    else:
        return alert.move(AlertState.EXHAUSTED, now)
    return _enter(later.move(AlertState.ESCALATED, now), now, new_id)


def _enter(alert: Alert, now: datetime, new_id: Callable[[], str]) -> Alert:
    """Plan the messages of the step that an alert has come to, one to each person."""
    people = {each.key: each for each in alert.plan.steps[alert.step].people}
    messages = tuple(
        AlertMessage(
            person=each,
            message_id=new_id(),
            step=alert.step,
            round=alert.round,
            at=now,
        )
        for each in people.values()
    )
    return replace(alert, began_at=now, messages=(*alert.messages, *messages))


def _write_value(value: object) -> float:
    """Write what JSON has no form of: times, and how long something takes."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError


def _read_time(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _read_plan(stored: dict[str, Any]) -> Plan:
    steps = tuple(
        Step(people=tuple(map(Person.read, each["people"])), reach=Reach(each["reach"]))
        for each in stored["steps"]
    )
    step_after = timedelta(seconds=stored["step_after"])
    words = tuple(stored["words"])
    return Plan(**stored | {"steps": steps, "step_after": step_after, "words": words})


def _read_message(stored: dict[str, Any]) -> AlertMessage:
    person, at = Person.read(stored["person"]), _read_time(stored["at"])
    return AlertMessage(**stored | {"person": person, "at": at})


def _read_notice(stored: dict[str, Any]) -> Notice:
    return Notice(**stored | {"person": Person.read(stored["person"])})


def _read_change(stored: dict[str, Any]) -> AlertChange:
    return AlertChange(**stored | {"state": AlertState(stored["state"])})
