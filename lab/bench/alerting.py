"""How long an alarm takes: until the first text is out, and until everybody knows.

The provider takes its time for each text, as a real one does; all else is ours.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
import time
from typing import TYPE_CHECKING, Final, override

from lab.home import Home, Plan, free_port

from .provider import BenchProvider
from .report import Row
from .stage import FOLDER, NO_LIMITS, CheckError

if TYPE_CHECKING:
    from aiohttp import web

DELAY: Final = 0.05
"""Seconds that the provider takes for a text."""
PEOPLE: Final = 10
ROUNDS: Final = 15
_WAIT: Final = 20.0
_OPTIONS: Final = "/api/config/config_entries/options/flow"
_SETTINGS: Final[dict[str, object]] = {"config": {}, "onboarding": {}, "recorder": {}}


class ClockedProvider(BenchProvider):
    """A provider that notes when it has answered each text."""

    delay = DELAY

    def __init__(self) -> None:
        """Note nothing yet."""
        super().__init__()
        self.answered: list[float] = []
        self._changed = asyncio.Condition()

    @override
    async def _take(self, request: web.Request) -> web.Response | None:
        response = await super()._take(request)
        if response is not None:
            self.answered.append(time.perf_counter())
            async with self._changed:
                self._changed.notify_all()
        return response

    async def wait_for_texts(self, count: int) -> Sequence[float]:
        """Wait until so many texts were answered, and return when each was."""
        async with asyncio.timeout(_WAIT), self._changed:
            await self._changed.wait_for(lambda: len(self.answered) >= count)
        return self.answered


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the action to the first text, and from "ok" until all know."""

    first: float
    known: float


async def bench_alert() -> list[Row]:
    """Time alarms to ten people, one of whom takes each."""
    async with _open() as (provider, home, entry_id):
        # The first one opens the home's own file.
        await _alarm(provider, home, entry_id, ROUNDS)
        times = [
            await _alarm(provider, home, entry_id, number) for number in range(ROUNDS)
        ]
    own = f"{DELAY * 1000:.0f} ms of them the provider's own"
    return [
        Row.note(what, own, f"{median(seconds) * 1000:.0f} ms")
        for what, seconds in (
            ("Alert until the first SMS is accepted", [each.first for each in times]),
            (
                f"Acknowledgement until all {PEOPLE} have been told",
                [each.known for each in times],
            ),
        )
    ]


@asynccontextmanager
async def _open() -> AsyncIterator[tuple[ClockedProvider, Home, str]]:
    """Set up a home with one number, which may send whatever it likes."""
    plan = Plan(folder=FOLDER / "alert", port=free_port(), settings=_SETTINGS)
    async with ClockedProvider() as provider, Home(plan) as home:
        end = await home.configure(
            "virtual_sms",
            {"next_step_id": "twilio"},
            {**provider.twilio.credentials, "advanced": {"api_url": provider.url}},
            {"number": provider.twilio.NUMBER},
            {"mode": "automatic"},
        )
        entry_id = str(end["result"]["entry_id"])
        step = await home.ask("POST", _OPTIONS, {"handler": entry_id})
        await home.ask("POST", f"{_OPTIONS}/{step['flow_id']}", NO_LIMITS)
        await _wait_until_loaded(home, entry_id)
        yield provider, home, entry_id


async def _wait_until_loaded(home: Home, entry_id: str) -> None:
    """Wait until the number is at work with its options."""
    path = "/api/config/config_entries/entry?domain=virtual_sms"
    async with asyncio.timeout(_WAIT):
        while True:
            # It is set up anew a moment after its options were changed.
            await asyncio.sleep(1.0)
            found = await home.ask("GET", path)
            states = {each["entry_id"]: each["state"] for each in found}
            if states[entry_id] == "loaded":
                return


async def _alarm(
    provider: ClockedProvider, home: Home, entry_id: str, number: int
) -> Times:
    """Alarm people whom nobody has alarmed before, and have the last of them take it."""
    people = [f"+336{number:02}0000{each:02}" for each in range(PEOPLE)]
    before = len(provider.answered)
    data = {
        "config_entry_id": entry_id,
        "message": f"Leak {number}",
        "steps": [{"to": people}],
    }
    start = time.perf_counter()
    await home.ask("POST", "/api/services/virtual_sms/alert?return_response", data)
    answered = await provider.wait_for_texts(before + PEOPLE)
    first = answered[before] - start
    start = time.perf_counter()
    provider.twilio.receive(people[-1], "ok")
    answered = await provider.wait_for_texts(before + 2 * PEOPLE)
    if len(answered) != before + 2 * PEOPLE:
        raise CheckError(f"{len(answered) - before} texts instead of {2 * PEOPLE}")
    return Times(first=first, known=answered[-1] - start)
