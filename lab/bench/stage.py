"""The stage: a Home Assistant and a provider, each in a process of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
import sys
from typing import Any, Final, Self, override

from aiohttp import ClientError

from lab.home import PROJECT, Home, HomeError, Plan, free_port
from simulator import Simulator

FOLDER: Final = PROJECT / ".demo" / "bench"
_START_TIMEOUT: Final = 20.0
_TIMEOUT: Final = 30.0
NO_LIMITS: Final = {
    "limits": dict.fromkeys(("limit_hour", "limit_day", "limit_repeats"), 1_000_000)
}
"""The options of a number that may send whatever a bench has it send."""
_RECORDER: Final[Mapping[str, object]] = {"recorder": {}}


class CheckError(Exception):
    """A part did not do what it is timed for."""


class BareHome(Home):
    """A Home Assistant without users or pages; the probe in it is its remote control."""

    @override
    async def _onboard(self) -> None:
        """Nobody moves in."""

    @override
    async def _is_up(self) -> bool:
        try:
            return bool(await self.probe("state") == "RUNNING")
        except ClientError, HomeError, TimeoutError:
            return False

    async def probe(self, verb: str, **data: object) -> Any:
        """Have the probe do something, and return what it answers."""
        return await self.ask("POST", f"/api/probe/{verb}", data)


class Provider:
    """The provider's process, as an asynchronous context manager."""

    def __init__(self) -> None:
        """Choose where it listens; nothing runs yet."""
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Start it and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lab.bench.provider", "--port", str(self._port)),
            cwd=PROJECT,
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(_START_TIMEOUT):
            while not await self._listens():  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.close()
        return True


class Stage:
    """Both of them, and what is set up there."""

    def __init__(self, home: BareHome, provider: Provider) -> None:
        """Take them running."""
        self.home = home
        self.provider = provider
        self.simulator = Simulator()
        """Not running: it knows the numbers and the credentials."""

    async def tell_provider(self, **wish: object) -> Any:
        """Set how the provider behaves, and return what it counted."""
        async with self.home.session.post(
            f"{self.provider.url}/_bench", json=wish
        ) as answer:
            return await answer.json()

    async def add_number(
        self, provider: str, mode: str = "manual", number: str = ""
    ) -> dict[str, str]:
        """Add a number by the config flow; return its entry id and webhook id."""
        side = self.simulator.providers[provider]
        ending: Sequence[dict[str, str]] = [{}] if mode == "manual" else []
        answers = (
            {"next_step_id": provider},
            {**side.credentials, "advanced": {"api_url": self.provider.url}},
            {"number": number or side.number, "name": provider},
            {"mode": mode},
            *ending,
        )
        return dict(
            await self.home.probe(
                "configure", handler="virtual_sms", answers=answers, options=NO_LIMITS
            )
        )

    async def events(self) -> int:
        """Return how many events there were."""
        return sum((await self.home.probe("counts")).values())

    async def wait_for_events(self, wanted: int) -> None:
        """Wait until there were so many; CheckError if there are not, or more."""
        found = await self.home.probe("wait", wanted=wanted, seconds=_TIMEOUT)
        if found != wanted:
            raise CheckError(f"{found} events instead of {wanted}")

    async def longest_stall(self) -> tuple[float, str]:
        """Stop watching; return the longest stall, in milliseconds, and what it was."""
        seen = await self.home.probe("watched")
        garbage = seen["collecting"] * 1000
        found = f"{seen['slowest']}; the longest collection of garbage: {garbage:.1f}"
        return seen["stall"] * 1000, found

    async def add(self, handler: str, *answers: object) -> dict[str, str]:
        """Add an entry of another integration."""
        return dict(
            await self.home.probe("configure", handler=handler, answers=answers)
        )


@asynccontextmanager
async def open_stage(
    name: str,
    settings: Mapping[str, object] | None = None,
    bystanders: tuple[str, ...] = (),
    *,
    recorder: bool = True,
) -> AsyncIterator[Stage]:
    """Start both, in a folder of the stage's own."""
    plan = Plan(
        folder=FOLDER / name,
        port=free_port(),
        companions=("probe",),
        bystanders=bystanders,
        settings={**(_RECORDER if recorder else {}), **(settings or {})},
        log_level="error",
    )
    async with Provider() as provider, BareHome(plan) as home:
        yield Stage(home, provider)
