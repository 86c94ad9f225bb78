"""What the set-up of an entry takes from a running Home Assistant."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import statistics
from typing import Final

from .report import Row
from .sending import CORE
from .stage import CheckError, Stage, open_stage

ROUNDS: Final = 3
_MIB: Final = 2**20
_STALL_LIMIT: Final = 5
"""What is wanted, in milliseconds."""
_MEMORY_LIMIT: Final = 2
"""What is wanted beyond core's, in MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Whose set-up it is."""

    entry_id: str
    package: str
    verb: str = "enable"
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a set-up took: `stall` in milliseconds, `memory` in MiB."""

    seconds: float
    stall: float
    slowest: str
    memory: float
    modules: float


class Costs:
    """What the set-ups took, round by round."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._costs: dict[str, list[Cost]] = {}

    def add(self, name: str, cost: Cost) -> None:
        """Add one of a round."""
        self._costs.setdefault(name, []).append(cost)

    def median(self, name: str, figure: Callable[[Cost], float]) -> float:
        """Return the figure of the round in the middle."""
        return statistics.median(map(figure, self._costs[name]))

    def ratio(self, anchor: str, figure: Callable[[Cost], float]) -> float:
        """Return the median of ours over another's, round by round."""
        return statistics.median(
            figure(ours) / figure(other) for ours, other in self._pairs(anchor)
        )

    def excess(self, anchor: str, figure: Callable[[Cost], float]) -> float:
        """Return the median of what ours takes beyond another's, round by round."""
        return statistics.median(
            figure(ours) - figure(other) for ours, other in self._pairs(anchor)
        )

    def slowest(self, name: str) -> Cost:
        """Return the round with the longest stall."""
        return max(self._costs[name], key=lambda cost: cost.stall)

    def _pairs(self, anchor: str) -> list[tuple[Cost, Cost]]:
        return list(zip(self._costs["ours"], self._costs[anchor], strict=True))


async def _run(
    stage: Stage, sides: Mapping[str, Side], name: str, costs: Costs
) -> None:
    """Measure one in a home of its own.

    The empty one goes first, so that what Home Assistant does but once counts for it.
    """
    await stage.home.stop()
    await stage.home.start()
    costs.add(f"empty before {name}", await _measure(stage, sides["empty"]))
    costs.add(name, await _measure(stage, sides[name]))


async def _measure(stage: Stage, side: Side) -> Cost:
    """Set an entry up in a process that has loaded nothing of it before."""
    home = stage.home
    before = await home.probe("weigh")
    if loaded := [each for each in before["modules"] if _belongs(each, side)]:
        raise CheckError(f"already loaded: {loaded}")
    await home.probe("watch")
    seconds = await home.probe(side.verb, entry_id=side.entry_id, **side.data)
    stall, slowest = await stage.longest_stall()
    after = await home.probe("weigh")
    if not any(_belongs(each, side) for each in after["modules"]):
        raise CheckError(f"{side.package} was not loaded")
    # The next home starts without it.
    await home.probe("disable", entry_id=side.entry_id)
    return Cost(
        seconds=seconds,
        stall=stall,
        slowest=slowest,
        memory=(after["memory"] - before["memory"]) / _MIB,
        modules=len(set(after["modules"]) - set(before["modules"])),
    )


def _belongs(module: str, side: Side) -> bool:
    return f"{module}.".startswith((f"{side.package}.", "twilio."))


@asynccontextmanager
async def _open_sides() -> AsyncIterator[tuple[Stage, Mapping[str, Side]]]:
    """Make an entry of each, and disable it."""
    async with open_stage("setup", bystanders=("empty",)) as stage:
        sides = {
            "empty": Side(
                entry_id=(await stage.add("empty"))["entry_id"],
                package="custom_components.empty",
            ),
            "core": Side(
                entry_id=(await stage.add("twilio", {}))["entry_id"],
                package="homeassistant.components.twilio",
                verb="enable_core",
                data={"settings": CORE, "url": stage.provider.url},
            ),
            "ours": Side(
                entry_id=(await stage.add_number("twilio"))["entry_id"],
                package="custom_components.virtual_sms",
            ),
        }
        for side in sides.values():
            await stage.home.probe("disable", entry_id=side.entry_id)
        yield stage, sides


async def bench_setup() -> list[Row]:
    """Time and weigh a set-up, beside core's and beside one that does nothing."""
    costs = Costs()
    async with _open_sides() as (stage, sides):
        for number in range(ROUNDS):
            for name in ("ours", "core") if number % 2 else ("core", "ours"):
                await _run(stage, sides, name, costs)
    slowest = costs.slowest("ours")
    print(f"the longest stall: {slowest.stall:.1f} ms, {slowest.slowest}")
    return _rows(costs)


def _rows(costs: Costs) -> list[Row]:
    core, empty = "core's twilio, first send", "an empty integration"
    first = "empty before ours"
    time, stall = "Set-up, wall time", "Set-up, longest stall"
    memory, modules = "Set-up, memory (RSS)", "Set-up, modules"
    blocked = costs.median("ours", _stall)
    beyond = costs.excess("core", _memory), costs.excess(first, _memory)
    return [
        Row.ratio(time, core, costs.ratio("core", _seconds)),
        Row.ratio(time, empty, costs.ratio(first, _seconds)),
        Row.at_most(stall, "", blocked, _STALL_LIMIT, "ms"),
        Row.ratio(stall, core, costs.ratio("core", _stall)),
        Row.ratio(stall, empty, costs.ratio(first, _stall)),
        Row.at_most(memory, core, beyond[0], _MEMORY_LIMIT, "MiB more"),
        Row.note(memory, empty, f"{beyond[1]:.2f} MiB more"),
        Row.note(modules, core, f"{costs.excess('core', _modules):.0f} more"),
        Row.note(modules, empty, f"{costs.excess(first, _modules):.0f} more"),
    ]


def _seconds(cost: Cost) -> float:
    return cost.seconds


def _stall(cost: Cost) -> float:
    return cost.stall


def _memory(cost: Cost) -> float:
    return cost.memory


def _modules(cost: Cost) -> float:
    return cost.modules
