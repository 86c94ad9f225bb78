"""Decide which messages go to a contact's assistant, and in which order.

Somebody who writes twice before there is an answer means the first to be done first.
What comes faster than it can be answered is not kept without end.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from ..store.changes import Received, Trust
from ..store.clock import monotonic
from .consent import is_wish

MOST_WAITING: Final = 3
"""Messages of a contact that wait while one of theirs is answered."""
KEEP_CONVERSATION: Final = timedelta(minutes=5)
"""How long an assistant remembers what was said before: as Home Assistant's own do."""


def is_for_assistant(
    received: Received, answer_to: object, own_numbers: Collection[str]
) -> bool:
    """Say whether a message is a command or a question in the contact's own words.

    An answer to a question is not, nor is what came too late to be meant any more, a
    wish about further messages, or what another line of the home sends.
    """
    message = received.message
    return (
        received.trust is Trust.TRUSTED
        and not received.late
        and answer_to is None
        and message.text.strip() != ""
        and not is_wish(message)
        and message.sender not in own_numbers
    )


class Place(Enum):
    """Where a message stands among those of its writer."""

    FIRST = auto()
    WAITS = auto()
    REFUSED = auto()


class Turns[T]:
    """What each contact has written, one after the other."""

    def __init__(self) -> None:
        """Know nobody."""
        self._waiting: dict[str, deque[T]] = {}

    def take_place(self, contact_id: str, item: T) -> Place:
        """Put something last, if there is room; the first is to be begun with."""
        if contact_id not in self._waiting:
            self._waiting[contact_id] = deque([item])
            return Place.FIRST
        waiting = self._waiting[contact_id]
        if len(waiting) >= MOST_WAITING:
            return Place.REFUSED
        waiting.append(item)
        return Place.WAITS

    def take_next(self, contact_id: str) -> T | None:
        """Return what is next, as soon as the one before is done; None for nothing."""
        if waiting := self._waiting[contact_id]:
            return waiting.popleft()
        del self._waiting[contact_id]
        return None


@dataclass(frozen=True, slots=True)
class _Conversation:
    agent: str
    conversation_id: str
    at: float


class Conversations:
    """Which conversation a contact goes on with, for a while."""

    def __init__(self, monotonic: Callable[[], float] = monotonic) -> None:
        """Take a clock that never jumps."""
        self._monotonic = monotonic
        self._kept: dict[str, _Conversation] = {}

    def get(self, contact_id: str, agent: str) -> str | None:
        """Return the conversation with an agent; None where a new one begins."""
        self._forget_old()
        kept = self._kept.get(contact_id)
        return kept.conversation_id if kept and kept.agent == agent else None

    def note(self, contact_id: str, agent: str, conversation_id: str | None) -> None:
        """Note the conversation in which an agent has answered, if it has one."""
        if conversation_id is not None:
            kept = _Conversation(agent, conversation_id, self._monotonic())
            self._kept[contact_id] = kept

    def _forget_old(self) -> None:
        oldest = self._monotonic() - KEEP_CONVERSATION.total_seconds()
        self._kept = {
            contact_id: each
            for contact_id, each in self._kept.items()
            if each.at >= oldest
        }
