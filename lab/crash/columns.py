"""What is counted of each number; a promise is a count that must be zero."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from .evidence import Evidence
from .forgeries import CODE, MARK

_RANKS: Final = {"queued": 0, "unknown": 1, "sent": 2}
_FINAL: Final = 3
_RESOLUTION: Final = 1.0
"""Seconds that two messages may lie apart and bear the same time at a provider."""
_REFUSED: Final = frozenset({"20003"})
"""Codes of a provider that did refuse a message: while its token is replaced."""

type Row = Mapping[str, int]


@dataclass(frozen=True)
class Column:
    """A heading, what it counts, and whether that must be zero."""

    key: str
    title: str
    count: Callable[[Evidence], int]
    is_promise: bool = True


def _inbound_lost(evidence: Evidence) -> int:
    return len(evidence.traffic.written.keys() - evidence.heard)


def _out_of_order(evidence: Evidence) -> int:
    return _late_disorder(evidence) + _backward(evidence)


def _late_disorder(evidence: Evidence) -> int:
    """Count what was told after something newer, of what was missed in one run."""
    newest: dict[int, float] = {}
    count = 0
    for each in evidence.received:
        created = evidence.inbound.get(str(each.data["message_id"]))
        if created is None or not _keeps_order(evidence, each.data):
            continue
        at, before = created.timestamp(), newest.get(each.pid, 0.0)
        count += at + _RESOLUTION < before
        newest[each.pid] = max(at, before)
    return count


def _keeps_order(evidence: Evidence, data: Mapping[str, object]) -> bool:
    """Say whether a message was read in the provider's record, and could be.

    What was called back was known before what is read after a gap, and may be late as
    well. Numbers of OVHcloud share one URL, so that those that poll are called too.
    """
    was_read = data["late"] or evidence.traffic.name == "twilio, polling"
    others = evidence.traffic.unreadable | evidence.called_back
    return bool(was_read) and str(data["message_id"]) not in others


def _backward(evidence: Evidence) -> int:
    """Count the states that do not lie beyond the one before."""
    count = 0
    for states in evidence.statuses.values():
        ranks = [_RANKS.get(each["status"], _FINAL) for each in states]
        count += sum(after <= before for before, after in pairwise(ranks))
    return count


def _believed(evidence: Evidence) -> int:
    made_up = evidence.heard - evidence.inbound.keys()
    forged = sum(MARK in each.data["text"] for each in evidence.received)
    failed: int = sum(
        each["error_code"] == CODE
        for states in evidence.statuses.values()
        for each in states
    )
    return max(len(made_up), forged) + failed


def _asked(evidence: Evidence) -> int:
    answered = {text for text, our_id in evidence.traffic.asked.items() if our_id}
    return len(answered | evidence.copies.keys())


def _outbound_lost(evidence: Evidence) -> int:
    """Count what was promised, but neither taken nor given up aloud.

    A promise is our id in the answer to the caller. A kill before that answer may
    have the home forget a message, also one that has left already.
    """
    return sum(
        text not in evidence.copies
        and not any(each["final"] for each in evidence.statuses.get(our_id, []))
        for text, our_id in evidence.traffic.asked.items()
        if our_id
    )


def _unpublished(evidence: Evidence) -> int:
    """Count the ends that the provider knows and the home was never told.

    What a kill kept from the disk nobody remembers, and nobody was told that it went.
    """
    return sum(
        message.status in evidence.finals
        and bool(evidence.traffic.asked[message.text] or evidence.states_of(message))
        and not any(each["final"] for each in evidence.states_of(message))
        for message in evidence.taken
    )


def _lies(evidence: Evidence) -> int:
    """Count the ends that were told and are not the provider's.

    No provider refuses anything here, so that what failed must have a record.
    """
    known: set[str] = set()
    count = 0
    for message in evidence.taken:
        states = evidence.states_of(message)
        known |= {each["message_id"] for each in states}
        ends = {each.status for each in evidence.taken if each.text == message.text}
        count += any(each["final"] and each["status"] not in ends for each in states)
    return count + sum(
        each["final"] and each["error_code"] not in _REFUSED
        for our_id in evidence.statuses.keys() - known
        for each in evidence.statuses[our_id]
        if not evidence.was_tried_once(our_id)
    )


def _falsely_refused(evidence: Evidence) -> int:
    return len(evidence.falsely_refused)


COLUMNS: Final = (
    Column(
        "written", "inbound: sent", lambda it: len(it.traffic.written), is_promise=False
    ),
    Column(
        "told",
        "told",
        lambda it: len(it.traffic.written.keys() & it.heard),
        is_promise=False,
    ),
    Column("again", "again at a kill", lambda it: len(it.again), is_promise=False),
    Column("twice", "twice", lambda it: len(it.twice)),
    Column("inbound_lost", "lost", _inbound_lost),
    Column("disorder", "out of order", _out_of_order),
    Column("asked", "outbound: asked", _asked, is_promise=False),
    Column("accepted", "accepted", lambda it: len(it.copies), is_promise=False),
    Column(
        "accepted_twice",
        "twice",
        lambda it: sum(count > 1 for count in it.copies.values()),
    ),
    Column("outbound_lost", "lost", _outbound_lost),
    Column("unpublished", "end unpublished", _unpublished),
    Column("lies", "untrue", _lies),
    Column("falsely_refused", "refused, sent", _falsely_refused),
    Column("pending", "pending", lambda it: it.pending),
    Column("forged", "forged: sent", lambda it: it.traffic.forged, is_promise=False),
    Column("believed", "believed", _believed),
)
NEEDED: Final = ("written", "told", "asked", "accepted")
"""What a run that shook anything has more than zero of, on every number."""


def count(evidence: Evidence) -> Row:
    """Fill in a row."""
    return {each.key: each.count(evidence) for each in COLUMNS}


def broken(row: Row) -> list[str]:
    """List the promises that were not kept."""
    return [each.key for each in COLUMNS if each.is_promise and row[each.key]]
