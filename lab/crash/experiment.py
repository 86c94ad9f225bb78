"""Set a home up, shake it, let it calm down, and count."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
import contextlib
from dataclasses import dataclass, field
from functools import partial
import random
import signal
import time
from typing import Final

from lab.home import PROJECT, Home, Plan, free_port
from lab.shaken.mutants import MUTANT
from simulator import Quirk, Simulator

from . import alarms, commands, limits
from .columns import NEEDED, Row, broken, count
from .damage import damage
from .evidence import Evidence
from .forgeries import forge
from .load import ask, write
from .log import complaints
from .shakes import SHAKES, STEADY, Shake, put_right
from .world import World

PROMISES: Final = (*alarms.PROMISES, *commands.PROMISES, *limits.PROMISES)
"""What must be zero, of all numbers together."""
FOLDER: Final = PROJECT / ".demo" / "crash"
ALL_SHAKES: Final = (*STEADY, *SHAKES, "damage")
_SETTINGS: Final[Mapping[str, object]] = {
    "config": {},
    "onboarding": {},
    "recorder": {"commit_interval": 1},
}
_AHEAD: Final = 7200.0
_AFTER_RESTART: Final = 3.0
_ALARMS_AT_ONCE: Final = 3
LONG: Final = 60.0
"""Seconds after which somebody has surely pressed a key, and a limit is reached."""
_ALWAYS: Final = frozenset({"alerts", "questions"})
"""Whether one of a few questions is answered is up to the dice."""
_LIMIT_SHARE: Final = 0.8
"""Segments a second that the number with a limit may send: it is reached in any run."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long, how hard, and what with."""

    seconds: float
    drain: float = 210.0
    traffic_every: float = 0.4
    polls: bool = True
    """Whether there are numbers that poll, which takes its time."""
    haste: float = 1.0
    """How much sooner alarms go on, numbers poll and homes are killed."""
    shakes: Sequence[str] = ALL_SHAKES
    mutant: str = ""


@dataclass(kw_only=True)
class Report:
    """What a run did and found."""

    names: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    """In which words callers heard that a text is not sent that is."""
    shaken: Mapping[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    alarms: Mapping[str, int] = field(default_factory=dict)

    @property
    def broken(self) -> set[str]:
        """Return the promises that were not kept."""
        found = {key for row in self.rows for key in broken(row)}
        found |= {key for key in PROMISES if self.alarms.get(key)}
        return found | ({"complaints"} if self.complaints else set())


async def experiment(pace: Pace, seed: int) -> Report:
    """Run it from the beginning to the end."""
    async with Simulator() as simulator:
        simulator.pace = 0.3
        plan = Plan(
            folder=FOLDER / (pace.mutant or "home"),
            port=free_port(),
            companions=("witness",),
            settings=_SETTINGS,
            program="lab.shaken",
            end=signal.SIGKILL,
            environment={"PYTHONPATH": str(PROJECT), MUTANT: pace.mutant},
        )
        async with Home(plan) as home:
            chance = random.Random(seed)  # noqa: S311  # dice, no secret
            world = World(simulator, home, chance, pace.haste)
            return await Experiment(world, pace).run()


class Experiment:
    """One run."""

    def __init__(self, world: World, pace: Pace) -> None:
        """Take the world, and how to shake it."""
        self._world = world
        self._pace = pace
        self._alarms = alarms.Alarms()
        self._commands = commands.Commands()
        self._ends_at = 0.0
        self._has_taken_turns = False

    async def run(self) -> Report:
        """Set up, wreak havoc, let it calm down, and count."""
        await self._set_up()
        await self._wreak_havoc()
        await self._calm_down()
        report = await self._report()
        if "damage" in self._pace.shakes:
            report.names.append("damaged file")
            report.rows.append(await damage(self._world, self._pace.drain))
        report.complaints = complaints(self._world.home.console)
        await self._world.session.close()
        return report

    async def _set_up(self) -> None:
        world = self._world
        if "clock" in self._pace.shakes:
            await world.set_clock(world.chance.choice((0.0, _AHEAD)))
        if not self._pace.polls:
            world.traffic = [each for each in world.traffic if each.mode != "polling"]
        for each in world.traffic:
            await world.add(each)
        world.simulator.ovh.service.credits = 1_000_000.0
        limit = max(int(self._pace.seconds * _LIMIT_SHARE), 3)
        await limits.set_up(world, world.traffic[-1], limit)
        await self._commands.set_up(world, world.traffic[0])
        for provider in world.simulator.providers.values():
            provider.quirks = {Quirk.DUPLICATED, Quirk.REORDERED}

    async def _wreak_havoc(self) -> None:
        world = self._world
        self._ends_at = time.monotonic() + self._pace.seconds
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_turns())
            for name in STEADY.keys() & set(self._pace.shakes):
                tasks.create_task(self._go_on(name, STEADY[name]))
            for each in world.traffic:
                for act in (write, ask, forge):
                    tasks.create_task(self._repeat(partial(act, world, each)))
            own = [self._alarms.ask, self._commands.command]
            # Most of an alarm is waiting.
            own += [self._alarms.alarm] * _ALARMS_AT_ONCE
            for act in own:
                tasks.create_task(self._repeat(partial(act, world, world.traffic[0])))
        world.simulator.faults.clear()

    @property
    def _goes_on(self) -> bool:
        """Say whether there is havoc still: as long as a kind of shake has yet to come."""
        if time.monotonic() < self._ends_at or not self._has_taken_turns:
            return True
        steady = STEADY.keys() & set(self._pace.shakes)
        return not all(self._world.shaken[each] for each in steady)

    async def _repeat(self, act: Callable[[], Awaitable[object]]) -> None:
        every = self._pace.traffic_every
        while self._goes_on:
            await asyncio.sleep(self._world.chance.uniform(0, 2 * every))
            await act()

    async def _go_on(self, name: str, shake: Shake) -> None:
        while self._goes_on:
            await shake(self._world)
            self._world.shaken[name] += 1

    async def _take_turns(self) -> None:
        """Shake in one way after another, each once before any comes again."""
        names = sorted(SHAKES.keys() & set(self._pace.shakes))
        while self._goes_on and names:
            self._world.chance.shuffle(names)
            for name in names:
                if self._goes_on:
                    await self._shake(name)
            self._has_taken_turns = True
        self._has_taken_turns = True

    async def _shake(self, name: str) -> None:
        async def shake() -> None:
            await SHAKES[name](self._world)
            self._world.shaken[name] += 1

        # A home that is down at the moment cannot be shaken. One that cannot be shaken
        # at all is missed in the end.
        with contextlib.suppress(TimeoutError):
            await self._world.insist(shake)
        await asyncio.sleep(self._world.chance.uniform(0.1, 1.0))

    async def _calm_down(self) -> None:
        """Wait until nothing is under way, and only then start once more.

        What waits for a restart waits for ever in a home that has none.
        """
        world = self._world
        await put_right(world)
        if world.calls:
            await asyncio.wait(world.calls)
        await self._until_calm()

    async def _until_calm(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pace.drain):
                while not await self._is_calm():  # noqa: ASYNC110  # a file is watched
                    await asyncio.sleep(1.0)

    async def _is_calm(self) -> bool:
        rows = await self._count()
        if self._count_own()["alarms lost"]:
            return False
        still = ("inbound_lost", "outbound_lost", "unpublished", "pending")
        return not any(row[key] for row in rows for key in still)

    async def _look(self) -> list[Evidence]:
        world = self._world
        return [
            Evidence(world, each, await world.pending(each)) for each in world.traffic
        ]

    async def _count(self) -> list[Row]:
        return [count(each) for each in await self._look()]

    def _count_own(self) -> dict[str, int]:
        """Count what is not a number's own."""
        return {
            **alarms.count(self._world, self._alarms),
            **commands.count(self._world, self._commands),
            **limits.count(self._world),
        }

    async def _report(self) -> Report:
        """Count, then see that a restart has nothing to add."""
        seen = await self._look()
        rows = [count(each) for each in seen]
        if "kill" in self._pace.shakes:
            await self._world.kill()
            await asyncio.sleep(_AFTER_RESTART / self._pace.haste)
            # Somebody may have written while there was no home.
            await self._until_calm()
            seen = await self._look()
            rows = _worst(rows, [count(each) for each in seen])
        report = Report(names=[each.name for each in self._world.traffic], rows=rows)
        report.refusals = [
            f"{each.traffic.name}: {words}"
            for each in seen
            for words in each.falsely_refused
        ]
        report.alarms = self._count_own()
        report.shaken = self._world.shaken
        report.missing = find_missing(self._pace.shakes, self._world.shaken, rows)
        report.missing += find_missing_own(report.alarms, self._pace.seconds)
        return report


def find_missing(
    shakes: Collection[str], shaken: Mapping[str, int], rows: Sequence[Row]
) -> list[str]:
    """List what an honest run has and this one has not: zeros prove nothing then."""
    missing = [each for each in shakes if each != "damage" and not shaken.get(each)]
    missing += [key for key in NEEDED if not rows or not all(row[key] for row in rows)]
    return missing + ([] if any(row["forged"] for row in rows) else ["forged"])


def find_missing_own(own: Mapping[str, int], seconds: float) -> list[str]:
    """List what is missing of alarms, codes and limits; a short run has but a few."""
    wanted = _ALWAYS if seconds < LONG else own.keys() - set(PROMISES)
    return [key for key in own if key in wanted and not own[key]]


def _worst(before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    """Join two counts: what a restart heals was broken all the same."""
    return [
        {key: max(row[key], later[key]) for key in row}
        for row, later in zip(before, after, strict=True)
    ]
