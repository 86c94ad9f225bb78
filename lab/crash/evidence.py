"""What the witness saw of one number, beside what its provider knows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from lab.witness import EVENTS
from simulator import Message

from .alarms import ALARMED
from .world import Json, Kill, Span, Traffic, World

RECEIVED, STATUS, *_ = EVENTS
MOMENT: Final = 1.0
"""Seconds in which what was told is surely noted, on a machine as busy as this."""
MOST_IN_FLIGHT: Final = 32
"""Events of a number that are told but not noted at a time, says the product."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """An event of a number."""

    type: str
    pid: int
    at: float
    data: Json

    @property
    def key(self) -> tuple[str, ...]:
        """Return what may be told only once."""
        return (self.type, str(self.data["message_id"]), self.data.get("status", ""))


class Evidence:
    """All that can be counted of one number."""

    def __init__(self, world: World, traffic: Traffic, pending: int = 0) -> None:
        """Read everything; `pending` is what the home says."""
        provider = world.simulator.providers[traffic.provider]
        self.traffic = traffic
        self.pending = pending
        self.inbound: dict[str, datetime] = {
            str(each.id): each.created for each in provider.inbound
        }
        self.taken: list[Message] = [
            each for each in provider.messages if each.text in traffic.asked
        ]
        self.finals: frozenset[str] = provider.finals
        # What a kill kept from its answer may have been taken in all the same.
        self.called_back = {
            str(each.message_id)
            for each in world.simulator.callbacks
            if each.ok or (each.reached and each.status is None)
        }
        told = [
            Told(type=each["type"], pid=each["pid"], at=each["at"], data=each["data"])
            for each in world.events()
            if each["type"] in (RECEIVED, STATUS)
            and each["data"].get("entry_id") == traffic.entry_id
            # Those are counted by themselves.
            and each["data"].get("recipient") not in ALARMED
        ]
        self.was_full = bool(world.full)
        self.first, self.again, self.twice = sort_out(told, world.kills, world.full)

    @cached_property
    def received(self) -> list[Told]:
        """List the messages that were told, in that order."""
        return [each for each in self.first if each.type == RECEIVED]

    @cached_property
    def heard(self) -> set[str]:
        """Return the ids of the messages that were told."""
        return {str(each.data["message_id"]) for each in self.received}

    @cached_property
    def statuses(self) -> dict[str, list[Json]]:
        """List the states of each of our messages, by our id."""
        found: dict[str, list[Json]] = {}
        for each in self.first:
            if each.type == STATUS:
                found.setdefault(each.data["message_id"], []).append(each.data)
        return found

    @cached_property
    def our_ids(self) -> dict[str, str]:
        """Return our id by the provider's, as the events connect them."""
        return {
            str(data["provider_id"]): our_id
            for our_id, states in self.statuses.items()
            for data in states
            if data["provider_id"]
        }

    def states_of(self, message: Message) -> list[Json]:
        """List what was told of a message that the provider took."""
        known = self.our_ids.get(str(message.id)) or self.traffic.asked[message.text]
        return self.statuses.get(known or "", [])

    def was_tried_once(self, our_id: str) -> bool:
        """Say whether a message left that could not be remembered, as its caller heard.

        It is not tried again, so that the one attempt may have failed.
        """
        return self.was_full and our_id not in self.traffic.asked.values()

    @cached_property
    def falsely_refused(self) -> list[str]:
        """List the words in which a caller heard that a text is not sent that is."""
        refused = self.traffic.refused
        return [refused[text] for text in refused.keys() & self.copies.keys()]

    @cached_property
    def copies(self) -> Counter[str]:
        """Count how often each text was taken."""
        return Counter(each.text for each in self.taken)


def sort_out(
    told: Iterable[Told], kills: Sequence[Kill], full: Sequence[Span]
) -> tuple[list[Told], list[Told], list[Told]]:
    """Part what was told for the first time, again as it may be, and twice.

    What was told in the last moment before a kill, or while the disk was full, could
    not be noted, and may be told once more. That cannot be many.
    """
    before: dict[tuple[str, ...], Told] = {}
    first: list[Told] = []
    again: list[Told] = []
    twice: list[Told] = []
    at_kill: Counter[int] = Counter()
    for each in told:
        earlier, before[each.key] = before.get(each.key), each
        if earlier is None:
            first.append(each)
            continue
        at_kill[earlier.pid] += 1
        was_in_flight = is_in_flight(earlier, kills, full)
        few = at_kill[earlier.pid] <= MOST_IN_FLIGHT
        (again if was_in_flight and few else twice).append(each)
    return first, again, twice


def is_in_flight(told: Told, kills: Sequence[Kill], full: Sequence[Span]) -> bool:
    """Say whether something could not be noted between its being told and its repeat."""
    by_kill = any(
        each.pid == told.pid and each.at - MOMENT <= told.at <= each.at
        for each in kills
    )
    by_disk = any(each.start - MOMENT <= told.at <= each.end + MOMENT for each in full)
    return by_kill or by_disk
