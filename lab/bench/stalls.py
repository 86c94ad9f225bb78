"""How long the event loop stands still while much is sent and received at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from .blast import Request, blast
from .callbacks import Callbacks
from .duel import Contestant, duel
from .report import Row
from .sending import CORE, MANY, Sends
from .stage import CheckError, Stage, open_stage

ROUNDS: Final = 15
_CONNECTIONS: Final = 32
_OK, _NO_CONTENT = 200, 204
_LIMIT: Final = 10
"""What is wanted, in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Who sends and is called back."""

    way: str
    path: str
    published: int
    """Events for each message that is sent."""


class Load:
    """Fifty sends and fifty callbacks at once."""

    def __init__(self, stage: Stage, sends: Sends, callbacks: Callbacks) -> None:
        """Take what is set up."""
        self._stage = stage
        self._sends = sends
        self._callbacks = callbacks
        self.worst: dict[str, tuple[float, str]] = {}
        """The longest stall of each side in all rounds, and what it was."""

    def contestant(self, side: Side) -> Contestant:
        """Time the longest stall, in milliseconds; each round checks itself."""
        send = self._sends.contestant(side.way, "parallel", MANY)

        async def run() -> float:
            requests = self._mix(side.path)
            wanted = await self._stage.events() + len(requests) + side.published * MANY
            await self._stage.home.probe("watch")
            answered, _ = await asyncio.gather(
                blast(self._stage.home.url, requests, _CONNECTIONS), send()
            )
            await self._stage.wait_for_events(wanted)
            stall, slowest = await self._stage.longest_stall()
            if not set(answered.statuses) <= {_OK, _NO_CONTENT}:
                raise CheckError(f"answered {dict(answered.statuses)}")
            self.worst[side.way] = max(
                self.worst.get(side.way, (0.0, "")), (stall, slowest)
            )
            return stall

        return run

    def _mix(self, path: str) -> Sequence[Request]:
        """Make as many callbacks as sends: a status, a message, a status."""
        statuses = self._callbacks.statuses(path, MANY // 2)
        messages = self._callbacks.inbound(path, MANY // 2)
        return [each for pair in zip(statuses, messages, strict=True) for each in pair]


@asynccontextmanager
async def _open_load() -> AsyncIterator[tuple[Load, Callbacks]]:
    async with open_stage("stall", CORE) as stage:
        callbacks = Callbacks(stage)
        await callbacks.open()
        await stage.home.probe("aim_core", url=stage.provider.url)
        # Each gives two callbacks to the half that are statuses; one round warms up.
        await callbacks.track(MANY * (ROUNDS + 1) // 4)
        sends = Sends.to_twilio(stage, callbacks.entry_id)
        yield Load(stage, sends, callbacks), callbacks


async def bench_stall() -> list[Row]:
    """Time the longest stall of the event loop, ours beside core's."""
    async with _open_load() as (load, callbacks):
        sides = (
            Side(way="core", path=callbacks.core, published=0),
            Side(way="ours", path=callbacks.ours, published=1),
        )
        result = await duel({side.way: load.contestant(side) for side in sides}, ROUNDS)
    for way, (stall, slowest) in load.worst.items():
        print(f"the longest stall of {way}: {stall:.1f} ms, {slowest}")
    what, core = "Longest stall, 50 sends and 50 callbacks", "core's twilio, twilio_sms"
    worst = f"Longest stall, the worst of {ROUNDS} rounds"
    ours, theirs = (load.worst[way][0] for way in ("ours", "core"))
    return [
        Row.at_most(what, core, result.ratio("ours", "core"), 1),
        Row.at_most(what, "", result.median("ours"), _LIMIT, "ms"),
        Row.ratio(worst, core, ours / theirs),
        Row.note(worst, "", f"{ours:.2f} ms"),
    ]
