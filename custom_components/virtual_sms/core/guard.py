"""Decide whom the home believes: who wrote, whether they proved it, and when.

A message is judged in the transaction that makes it new. So the same message, come
twice, is neither a second wrong code nor a code used again, and a right code reaches
no disk, no log and no event.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
import sqlite3
from typing import Protocol

from ..store import codes
from ..store.changes import Received, Trust
from ..store.codes import CodeRows
from ..store.inbound import Judge
from .code_memory import CodeMemory, Noted
from .command_code import Code, Reading, read_code
from .correspondent import is_phone_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A contact, as far as it matters when they write; `code` is None without one."""

    contact_id: str
    may_command: bool = False
    code: Code | None = field(default=None, repr=False)


class Guard(Protocol):
    """Judges what comes in on a line."""

    def judge_at(self, now: datetime) -> Judge:
        """Return how to judge what is written down now, by the provider's clock."""

    def review(self, received: Received, now: datetime) -> Received:
        """Judge a message again that waited until now to be published."""


class NoGuard:
    """Believes nobody, and knows nobody."""

    def judge_at(self, now: datetime) -> Judge:
        """Return a judge who leaves each message as it is."""
        return _leave

    def review(self, received: Received, now: datetime) -> Received:
        """Leave a message as it is."""
        return received


class ContactGuard:
    """Believes a contact who may command, proves it, and is not late."""

    def __init__(
        self,
        find: Callable[[str], Writer | None],
        memory: CodeMemory,
        max_age: Callable[[], timedelta],
    ) -> None:
        """Take who knows the contacts, by number, and how old a command may be.

        `find` is called by workers.
        """
        self._find = find
        self._memory = memory
        self._max_age = max_age

    def load(self, entry_id: str, rows: CodeRows) -> None:
        """Take in what the line has stored of codes."""
        self._memory.load(entry_id, rows)

    def judge_at(self, now: datetime) -> Judge:
        """Return how to judge what is written down now, by the provider's clock."""
        return partial(self._judge, now=now)

    def review(self, received: Received, now: datetime) -> Received:
        """Believe no longer what waited too long to be published."""
        if received.trust is Trust.TRUSTED and self._is_old(received, now):
            return replace(received, trust=Trust.OUTDATED)
        return received

    def _judge(
        self, connection: sqlite3.Connection, received: Received, *, now: datetime
    ) -> Received:
        sender = received.message.sender
        writer = self._find(sender) if is_phone_number(sender) else None
        if writer is None:
            return received
        known = replace(received, contact_id=writer.contact_id, trust=Trust.KNOWN)
        if not writer.may_command:
            return known
        if writer.code is None:
            noted = Noted(
                is_fresh=True, is_locked=self._memory.is_locked(writer.contact_id)
            )
            return replace(known, trust=self._trust(known, noted, now))
        return self._check_code(connection, known, writer.code, now)

    def _check_code(
        self,
        connection: sqlite3.Connection,
        received: Received,
        code: Code,
        now: datetime,
    ) -> Received:
        message, contact_id = received.message, str(received.contact_id)
        reading = read_code(code, message.text, message.received_at)
        noted = self._note(contact_id, received, reading)
        _write(connection, contact_id, message.received_at.timestamp(), noted)
        trust = self._trust(received, noted, now)
        return replace(
            received, message=replace(message, text=reading.text), trust=trust
        )

    def _note(self, contact_id: str, received: Received, reading: Reading) -> Noted:
        """Note what a message says of a code, once."""
        message_id = received.message.message_id
        if reading.proofs:
            steps = {each.step for each in reading.proofs if each.step is not None}
            noted = self._memory.note_right(contact_id, message_id, steps)
            used_at_set_up = all(each.is_used for each in reading.proofs)
            return replace(noted, is_fresh=noted.is_fresh and not used_at_set_up)
        at = received.message.received_at.timestamp()
        if reading.wrong:
            return self._memory.note_wrong(contact_id, message_id, at, reading.wrong)
        return Noted(is_locked=self._memory.is_locked(contact_id))

    def _trust(self, received: Received, noted: Noted, now: datetime) -> Trust:
        if noted.is_locked:
            return Trust.LOCKED
        if not noted.is_fresh:
            return Trust.UNPROVEN
        return Trust.OUTDATED if self._is_old(received, now) else Trust.TRUSTED

    def _is_old(self, received: Received, now: datetime) -> bool:
        return now - received.message.received_at > self._max_age()


def _write(
    connection: sqlite3.Connection, contact_id: str, at: float, noted: Noted
) -> None:
    for step in noted.used:
        codes.note_used(connection, contact_id, step)
    for _ in range(noted.wrong):
        codes.note_wrong(connection, contact_id, at)
    if noted.locks:
        codes.lock(connection, contact_id, at)


def _leave(_: sqlite3.Connection, received: Received) -> Received:
    return received
