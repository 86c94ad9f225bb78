"""Decide what a message answers, before it is published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..home_file import async_get_home_file
from ..runtime import VirtualSmsConfigEntry
from ..store.changes import CallChanged, Received, StatusChanged, Trust

_DISTRUSTED: Final = (Trust.UNPROVEN.value, Trust.LOCKED.value)
_CLOCKS_DIFFER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message that came in by the line of an entry, and what is known of its writer.

    `at` is when it was received, by the clock of the home's file.
    """

    line: str
    at: datetime
    received: Received
    contact_id: str | None
    contact: str | None = field(repr=False)

    @property
    def text(self) -> str:
        """Return what was written."""
        return self.received.message.text

    @property
    def sender(self) -> str:
        """Return who wrote."""
        return self.received.message.sender

    @property
    def message_id(self) -> str:
        """Return the id of the message."""
        return self.received.message.message_id

    def may_answer(self, at: datetime) -> bool:
        """Say whether it can be an answer to what was sent then.

        One that is found after a gap may be older than the question.
        """
        if not self.received.late:
            return True
        return self.at >= at - _CLOCKS_DIFFER


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a message answers: when its writer was texted, and how it is taken."""

    item_id: str
    at: datetime
    take: Callable[[], None]


class Desk(Protocol):
    """Waits for answers of a kind."""

    def async_find_taken(self, message_id: str) -> str | None:
        """Return what a message has answered already."""

    def async_find(self, incoming: Incoming) -> Match | None:
        """Return what a message answers; nothing is taken yet."""

    def async_miss(self, incoming: Incoming) -> None:
        """Handle a message that answers nothing."""

    def async_follow(
        self, entry: VirtualSmsConfigEntry, change: StatusChanged | CallChanged
    ) -> None:
        """Handle what becomes of a message or a call of ours."""


_DESKS: HassKey[list[Desk]] = HassKey(f"{DOMAIN}_desks")


@callback
def async_add_desk(hass: HomeAssistant, desk: Desk) -> None:
    """Have a desk asked about each message."""
    hass.data.setdefault(_DESKS, []).append(desk)


@callback
def async_take_answer(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    received: Received,
    who: Mapping[str, object],
) -> str | None:
    """Return what a message answers, which is taken with it; None for nothing.

    A message that is published a second time answers what it did the first time. Of a
    question and an alert to the same person, what they were texted last is meant. Who
    has a code must have proved it.
    """
    desks = hass.data.get(_DESKS, ())
    for desk in desks:
        if taken := desk.async_find_taken(received.message.message_id):
            return taken
    # Old age makes no answer less true: the time of the question bounds it.
    is_outdated = received.trust is Trust.OUTDATED
    if not desks or (who.get("trust") in _DISTRUSTED and not is_outdated):
        return None
    incoming = Incoming(
        line=entry.entry_id,
        at=_read_time(hass, entry, received),
        received=received,
        contact_id=_text(who["contact_id"]),
        contact=_text(who["contact"]),
    )
    found = [each.async_find(incoming) for each in desks]
    matches = [each for each in found if each is not None]
    if not matches:
        for desk in desks:
            desk.async_miss(incoming)
        return None
    match = max(matches, key=lambda each: each.at)
    match.take()
    return match.item_id


@callback
def async_follow_status(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    change: StatusChanged | CallChanged,
) -> None:
    """Have the desks handle what becomes of a message or a call of ours."""
    for desk in hass.data.get(_DESKS, ()):
        desk.async_follow(entry, change)


def _read_time(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, received: Received
) -> datetime:
    """Return when a message was received, by the clock of the home's file.

    The time in it is the provider's, from which the home's may be far off.
    """
    time_there = entry.runtime_data.gateway.line.provider_time(dt_util.utcnow())
    age = time_there - received.message.received_at
    return async_get_home_file(hass).clock.now() - age


def _text(value: object) -> str | None:
    return None if value is None else str(value)
