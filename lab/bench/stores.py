"""What a store of ten thousand messages costs."""

from collections.abc import Mapping
from functools import partial
import statistics
from typing import Final

from .duel import duel
from .report import Row
from .stage import CheckError, Stage, open_stage

MIX: Final = {"inbound": 4_000, "closed": 5_900, "open": 100}
"""Messages that came in, that went out and arrived, and that are still under way."""
ROUNDS: Final = 9
FEW: Final = 5
"""Rounds that take long, for the provider does."""
_TOTAL: Final = sum(MIX.values())
_WAYS: Final[Mapping[str, Mapping[str, int]]] = {
    "one at a time": {"together": 1, "rounds": 10},
    "50 at once": {"together": 50, "rounds": 2},
}
_DELAY: Final = 0.05


async def bench_store() -> list[Row]:
    """Time a store that has been in use for long beside one that is empty."""
    async with open_stage("store") as stage:
        second = stage.simulator.twilio.SMS_ONLY_NUMBER
        entries = {
            "full": (await stage.add_number("twilio"))["entry_id"],
            "empty": (await stage.add_number("twilio", number=second))["entry_id"],
        }
        empty = await stage.home.probe("size", entry_id=entries["full"])
        await stage.home.probe("fill", entry_id=entries["full"], **MIX)
        saves = [await _longest(stage, entries["full"], way) for way in _WAYS]
        at_once = await _set_up(stage, entries, ROUNDS)
        await stage.tell_provider(delay=_DELAY)
        delayed = await _set_up(stage, entries, FEW)
        full = await stage.home.probe("size", entry_id=entries["full"])
    what = "10,000 messages"
    bytes_each = f"{(full - empty) / _TOTAL:.0f} bytes"
    return [
        Row.note(f"{what}: on disk, each", "", bytes_each),
        *(
            Row.at_most(f"{what}: loop held by a save, {way}", "", took, 1, "ms")
            for way, took in zip(_WAYS, saves, strict=True)
        ),
        Row.at_most(f"{what}: set-up, 50 ms a request", "an empty store", delayed, 1.2),
        Row.at_most(
            f"{what}: set-up, answered at once", "an empty store", at_once, 1.2
        ),
    ]


async def _longest(stage: Stage, entry_id: str, way: str) -> float:
    """Return the longest that saves kept the loop from all else, in milliseconds.

    It is the median of the rounds, for a shared machine may stop anybody at any time.
    """
    how = _WAYS[way]
    wanted = how["together"] * how["rounds"]
    found: list[float] = []
    for number in range(ROUNDS):
        name = f"{how['together']:02x}{number:02x}"
        seen = await stage.home.probe("save", entry_id=entry_id, name=name, **how)
        written = {each: seen[each] for each in ("sent", "received", "pending")}
        if written != {"sent": wanted, "received": wanted, "pending": 0}:
            raise CheckError(f"{wanted} were to be written, not {written}")
        found.append(seen["stall"])
    return statistics.median(found) * 1000


async def _set_up(stage: Stage, entries: Mapping[str, str], rounds: int) -> float:
    """Return how much longer the set-up takes with the full store."""
    result = await duel(
        {
            name: partial(stage.home.probe, "set_up", entry_id=entry_id)
            for name, entry_id in entries.items()
        },
        rounds,
    )
    return result.ratio("full", "empty")
