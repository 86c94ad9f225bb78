"""All alerts of a home, and which of them somebody means who writes to us."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from .answer_matching import list_readings, normalize
from .escalation import Alert, AlertMessage
from .person import Person


class Alerts:
    """All alerts that are remembered."""

    def __init__(self, alerts: Iterable[Alert] = ()) -> None:
        """Take what was stored."""
        self._alerts = {each.alert_id: each for each in alerts}

    @property
    def everything(self) -> Sequence[Alert]:
        """List all of them, the oldest first."""
        return sorted(self._alerts.values(), key=lambda each: each.code)

    @property
    def open(self) -> Sequence[Alert]:
        """List those that somebody is to acknowledge, the oldest first."""
        return [each for each in self.everything if each.is_open]

    @property
    def next_due(self) -> datetime | None:
        """Return when the next one has to go on."""
        return min((each.due_at for each in self.open), default=None)

    @property
    def next_code(self) -> int:
        """Return a code that none of them has."""
        return max((each.code for each in self._alerts.values()), default=0) + 1

    def get(self, alert_id: str) -> Alert:
        """Return an alert."""
        return self._alerts[alert_id]

    def put(self, alert: Alert) -> Alert:
        """Remember an alert as it is now."""
        self._alerts[alert.alert_id] = alert
        return alert

    def forget(self, alert_id: str) -> None:
        """Forget an alert."""
        del self._alerts[alert_id]

    def take_old(self, before: datetime) -> list[Alert]:
        """Forget what ended before some time, and return that."""
        old = [
            each
            for each in self._alerts.values()
            if each.ended_at is not None and each.ended_at < before
        ]
        for each in old:
            self.forget(each.alert_id)
        return old

    def list_over(self, line: str) -> Sequence[str]:
        """List the messages by a line whose alert is over."""
        return [
            message.message_id
            for alert in self._alerts.values()
            for message in alert.messages
            if message.person.line == line and not alert.is_open
        ]

    def find_by_message(self, message_id: str) -> Alert | None:
        """Return the open alert that a message of ours belongs to."""
        for alert in self.open:
            if any(each.message_id == message_id for each in alert.messages):
                return alert
        return None

    def find_taken(self, message_id: str) -> Alert | None:
        """Return the alert that a message has acknowledged already."""
        for each in self._alerts.values():
            if each.taken_with == message_id:
                return each
        return None

    def list_texted(self, person: Person) -> Sequence[Alert]:
        """List the open alerts about which somebody was texted, the oldest first."""
        return [each for each in self.open if each.has_texted(person)]

    def find_meant(
        self, text: str, sender: str, contact_id: str | None
    ) -> tuple[Alert, AlertMessage] | None:
        """Return the alert that a message acknowledges, and what its sender was texted.

        With a code that one is meant, else the oldest that the sender knows of.
        """
        found = [
            (alert, message)
            for alert in self.open
            if (message := alert.find_message(sender, contact_id))
        ]
        if not found:
            return None
        said = normalize(text)
        by_code = [each for each in found if _names(said, each[0])]
        if by_code or _has_code(said, found):
            return by_code[0] if by_code else None
        readings = set(list_readings(text))
        return next((each for each in found if readings & _words(each[0])), None)


def _words(alert: Alert) -> set[str]:
    return {normalize(each) for each in alert.plan.words}


def _names(said: str, alert: Alert) -> bool:
    """Say whether somebody means an alert by its code, with a space or without."""
    spaced = {f"{word} {alert.code}" for word in _words(alert)}
    # Without one, a word that ends in a digit could mean another alert.
    joined = {each.replace(" ", "") for each in spaced if not _ends_in_digit(each)}
    return said in spaced | joined


def _ends_in_digit(spaced: str) -> bool:
    return spaced.rpartition(" ")[0][-1:].isdecimal()


def _has_code(said: str, found: Iterable[tuple[Alert, AlertMessage]]) -> bool:
    """Say whether somebody means some alert by its code, though none has it."""
    word, _, code = said.rpartition(" ")
    return code.isdecimal() and any(word in _words(alert) for alert, _ in found)
