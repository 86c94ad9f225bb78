"""What is known of everybody's codes, on all lines of the home.

A contact is recognised on every line, so what was tried or used on one of them counts
on all. Messages are judged where they are written, in the worker of their line's file,
several at a time: hence the lock. A file may judge a message again, when its first
writing failed, and must get the same answer: so each message's share is known.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from ..store.codes import MOST_WRONG, STEPS_KEPT, WINDOW, CodeRows

_EARLIER_RUN = ""
"""Stands for the messages of an earlier run: they are judged no more."""


@dataclass(slots=True)
class _Known:
    """What is known of one contact's codes, and by which message."""

    attempts: list[tuple[str, float]] = field(default_factory=list)
    used: dict[int, str] = field(default_factory=dict)
    locked_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What a message has changed, for its line to write down.

    `is_fresh` tells that a right code had not been used before.
    """

    is_fresh: bool = False
    is_locked: bool = False
    wrong: int = 0
    used: Sequence[int] = ()
    locks: bool = False


class CodeMemory:
    """The codes of all contacts: tried, used, and who is locked."""

    def __init__(self) -> None:
        """Begin without any; each line brings what it has stored."""
        self._known: defaultdict[str, _Known] = defaultdict(_Known)
        self._lock = Lock()
        self._loaded: set[str] = set()

    def load(self, entry_id: str, rows: CodeRows) -> None:
        """Take in what a line has stored, once: what comes later is known already."""
        with self._lock:
            if entry_id in self._loaded:
                return
            self._loaded.add(entry_id)
            for contact_id, at in rows.attempts:
                self._known[contact_id].attempts.append((_EARLIER_RUN, at))
            for contact_id, step in rows.used:
                self._known[contact_id].used.setdefault(step, _EARLIER_RUN)
            for contact_id in rows.locked:
                known = self._known[contact_id]
                known.locked_by = known.locked_by or _EARLIER_RUN

    def is_locked(self, contact_id: str) -> bool:
        """Say whether a contact is locked."""
        with self._lock:
            return self._known[contact_id].locked_by is not None

    def lock(self, contact_id: str) -> None:
        """Take up that a contact was locked in an earlier run."""
        with self._lock:
            self._known[contact_id].locked_by = _EARLIER_RUN

    def unlock(self, contact_id: str) -> None:
        """Forget a contact's lock and wrong codes; used ones stay used."""
        with self._lock:
            known = self._known[contact_id]
            known.attempts.clear()
            known.locked_by = None

    def forget(self, contact_id: str) -> None:
        """Forget all of a contact: it is gone, or its code is another."""
        with self._lock:
            self._known.pop(contact_id, None)

    def note_right(self, contact_id: str, message_id: str, steps: set[int]) -> Noted:
        """Note right codes of a message; those with a step count once."""
        with self._lock:
            known = self._known[contact_id]
            owners = {known.used.setdefault(step, message_id) for step in steps}
            _forget_long_used(known, steps)
            return Noted(
                is_fresh=not steps or message_id in owners,
                is_locked=known.locked_by is not None,
                used=sorted(steps),
            )

    def note_wrong(
        self, contact_id: str, message_id: str, at: float, count: int
    ) -> Noted:
        """Note wrong codes of a message, which may lock; whoever is, is left alone."""
        with self._lock:
            known = self._known[contact_id]
            is_new = all(message != message_id for message, _ in known.attempts)
            if known.locked_by is not None and is_new:
                return Noted(is_locked=True)
            if is_new:
                _add_wrong(known, message_id, at, count)
            return Noted(
                is_locked=known.locked_by is not None,
                wrong=count,
                locks=known.locked_by == message_id,
            )


def _add_wrong(known: _Known, message_id: str, at: float, count: int) -> None:
    window = WINDOW.total_seconds()
    known.attempts += [(message_id, at)] * count
    # What is older than this can count no more, but for messages that come late.
    newest = max(each for _, each in known.attempts)
    known.attempts = [one for one in known.attempts if one[1] > newest - window]
    if sum(abs(each - at) < window for _, each in known.attempts) >= MOST_WRONG:
        known.locked_by = message_id


def _forget_long_used(known: _Known, steps: set[int]) -> None:
    oldest = max(steps, default=0) - STEPS_KEPT
    for step in [each for each in known.used if each < oldest]:
        del known.used[step]
