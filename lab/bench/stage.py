"""The stage: a Home Assistant in a process of its own, and a provider beside it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, override

from aiohttp import ClientError

from lab.home import PROJECT, Home, HomeError, Plan, free_port

from .disk import Disk
from .provider import BenchProvider

FOLDER: Final = PROJECT / ".demo" / "bench"
CORE: Final[Mapping[str, object]] = {
    "twilio": {"account_sid": "AC" + "0" * 32, "auth_token": "0" * 32},
    "notify": [
        {"platform": "twilio_sms", "name": "core", "from_number": "+15005550006"}
    ],
}
"""Home Assistant's own integrations."""
_BARE: Final[Mapping[str, object]] = {"recorder": {}, "input_boolean": {"light": {}}}
_NO_LIMITS: Final = {
    "limits": dict.fromkeys(("limit_hour", "limit_day", "limit_repeats"), 1_000_000)
}
_SLOW: Final = 15
"""Milliseconds that a flush of a memory card takes."""
_TIMEOUT: Final = 30.0


class CheckError(Exception):
    """A part did not do what it is timed for."""


class Stage(Home):
    """A Home Assistant without users or pages, and a provider beside it.

    The probe in it is its remote control.
    """

    def __init__(self, plan: Plan, provider: BenchProvider, disk: Disk) -> None:
        """Prepare the home; nothing of it runs yet."""
        super().__init__(plan)
        self.provider = provider
        self.disk = disk

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

    async def add_number(self, provider: str, number: str = "") -> dict[str, str]:
        """Add a number by the config flow; return its entry id and webhook id."""
        side = self.provider.providers[provider]
        return await self.add(
            "virtual_sms",
            {"next_step_id": provider},
            {**side.credentials, "advanced": {"api_url": self.provider.url}},
            {"number": number or side.number, "name": provider},
            {"mode": "manual"},
            {},
            options=_NO_LIMITS,
        )

    async def add(
        self, handler: str, *answers: object, options: object = None
    ) -> dict[str, str]:
        """Add an entry of any integration."""
        data = {"handler": handler, "answers": answers, "options": options or {}}
        return dict(await self.probe("configure", **data))

    async def count_events(self) -> int:
        """Return how many events there were."""
        return int((await self.probe("wait"))["count"])

    async def wait_for_events(self, wanted: int) -> dict[str, float]:
        """Wait until there were so many, and return what the probe says of the last.

        CheckError if there are not, or more.
        """
        last = await self.probe("wait", wanted=wanted, seconds=_TIMEOUT)
        if last["count"] != wanted:
            raise CheckError(f"{last['count']} events instead of {wanted}")
        return dict(last)

    async def disks(self) -> AsyncIterator[None]:
        """Have this disk under the home, then a slow one."""
        for milliseconds in (0, _SLOW):
            self.disk.slow_down(milliseconds)
            yield


@asynccontextmanager
async def open_stage(
    name: str, settings: Mapping[str, object] = CORE
) -> AsyncIterator[Stage]:
    """Start both, in a folder of the stage's own."""
    disk = Disk(FOLDER / "shim" / name)
    plan = Plan(
        folder=FOLDER / name,
        port=free_port(),
        environment=disk.environment,
        companions=("probe",),
        settings={**_BARE, **settings},
        log_level="error",
    )
    async with BenchProvider() as provider, Stage(plan, provider, disk) as stage:
        yield stage
