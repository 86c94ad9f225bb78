"""What there is: a home, its providers, four numbers, and what has happened to them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
import contextlib
from dataclasses import dataclass, field
from functools import partial
import json
import random
import signal
import time
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from lab.home import Home, HomeError
from lab.shaken.clock import OFFSET
from lab.witness import FILE
from simulator import Simulator

HARMLESS = (ClientError, TimeoutError, HomeError, OSError, KeyError)
"""What asking a home that is killed just then may raise."""
_TIMEOUT = 90.0
_SEEN = 2.0
"""Seconds in which each number surely sends something: it looks at the clock, and writes
down what could not be before."""

type Json = dict[str, Any]


@dataclass(kw_only=True)
class Traffic:
    """One number, and what was sent each way on it."""

    provider: str
    number: str
    mode: str
    entry_id: str = ""
    written: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str | None] = field(default_factory=dict)
    """Texts to be sent; our id of each once the caller has heard it."""
    refused: dict[str, str] = field(default_factory=dict)
    """Texts whose caller heard that they were not sent, and in which words."""
    unreadable: set[str] = field(default_factory=set)
    """Inbound messages whose records could not be read for a while."""
    forged: int = 0
    limit: int | None = None
    """How many segments it may send in the whole run; None for any number."""

    @property
    def name(self) -> str:
        """Return what the table calls it."""
        return f"{self.provider}, {self.mode}"


@dataclass(frozen=True, kw_only=True)
class Kill:
    """The end of a process, by the clock that all processes share."""

    pid: int
    at: float


@dataclass(kw_only=True)
class Span:
    """When something lasted; it may last still."""

    start: float
    end: float = float("inf")


class World:
    """The home and its dependencies, and what was done to them."""

    def __init__(
        self,
        simulator: Simulator,
        home: Home,
        chance: random.Random,
        haste: float = 1.0,
    ) -> None:
        """Take both running, the dice, and how much sooner all happens than at leisure."""
        self.simulator = simulator
        self.home = home
        self.chance = chance
        self.haste = haste
        self.traffic = _list_traffic(simulator)
        self.kills: list[Kill] = []
        self.full: list[Span] = []
        self.shaken: Counter[str] = Counter()
        self.calls: set[asyncio.Task[None]] = set()
        self._is_at_rest = asyncio.Lock()
        self.session = ClientSession(timeout=ClientTimeout(total=40))

    async def add(self, traffic: Traffic) -> None:
        """Set a number up."""
        credentials = self.simulator.providers[traffic.provider].credentials
        end = await self.home.configure(
            "virtual_sms",
            {"next_step_id": traffic.provider},
            {**credentials, "advanced": {"api_url": self.simulator.url}},
            {"number": traffic.number},
            {"mode": traffic.mode},
        )
        traffic.entry_id = end["result"]["entry_id"]

    async def kill(self, between: Callable[[], None] | None = None) -> None:
        """Kill the home and start it again; something may happen in between."""
        async with self._is_at_rest:
            pid = self.home.pid
            await self.home.stop(signal.SIGKILL)
            self.kills.append(Kill(pid=pid, at=time.monotonic()))
            if between is not None:
                await asyncio.to_thread(between)
            await self.home.start()

    async def set_clock(self, offset: float) -> None:
        """Set the home's clock so many seconds off, now and for its next start.

        Not while it is down, nor right before: a step that nobody saw cannot be told
        from hours that have passed, in which a message may well expire.
        """
        async with self._is_at_rest:
            await self.shake_inside("clock", offset=offset)
            self.home.plan.environment[OFFSET] = str(offset)
            await asyncio.sleep(_SEEN)

    @contextlib.asynccontextmanager
    async def full_disk(self) -> AsyncIterator[None]:
        """Leave no room on the home's disk meanwhile.

        It is not killed then: what was told and could not be noted would be told again,
        and nobody could tell what is right.
        """
        async with self._is_at_rest:
            # It is full before the home has answered, which a busy one does late.
            span = Span(start=time.monotonic())
            self.full.append(span)
            try:
                await self.shake_inside("disk", full=True)
                yield
            finally:
                await self.insist(partial(self.shake_inside, "disk", full=False))
                span.end = time.monotonic()
            await asyncio.sleep(_SEEN)

    async def shake_inside(self, what: str, **data: object) -> None:
        """Have the witness shake something."""
        await self.home.ask("POST", f"/api/witness/{what}", data)

    async def insist(self, act: Callable[[], Awaitable[object]]) -> None:
        """Do what must be done, though the home may be down for the moment."""
        async with asyncio.timeout(_TIMEOUT):
            while True:
                with contextlib.suppress(*HARMLESS):
                    await act()
                    return
                await asyncio.sleep(0.5)

    def events(self) -> Iterator[Json]:
        """Read what the witness wrote down."""
        path = self.home.plan.folder / FILE
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                # The last line before a kill may be cut short.
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    async def pending(self, traffic: Traffic) -> int:
        """Return how many messages the home says are under way on a number.

        A number that says nothing is not at rest either.
        """
        try:
            entities = await self.home.entities(traffic.entry_id)
            state = (await self.home.state(entities["pending"]))["state"]
        except HARMLESS:
            return 1
        return int(state) if state.isdecimal() else 1


def _list_traffic(simulator: Simulator) -> list[Traffic]:
    ovh, twilio = simulator.ovh, simulator.twilio
    return [
        Traffic(provider="twilio", number=twilio.NUMBER, mode="automatic"),
        Traffic(provider="twilio", number=twilio.SMS_ONLY_NUMBER, mode="polling"),
        Traffic(provider="ovh", number=ovh.NUMBER, mode="automatic"),
        Traffic(provider="ovh", number=ovh.SECOND_NUMBER, mode="polling"),
    ]
