"""The stage: a Home Assistant in a process of its own, and a provider beside it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
import mmap
from pathlib import Path
import signal
import subprocess
from typing import Any, Final, override

from aiohttp import ClientError

from lab.home import PRODUCT, PROJECT, Home, HomeError, Json, Plan, free_port

from .provider import BenchProvider
from .rows import Figure, Figures

FOLDER: Final = PROJECT / ".demo" / "bench"
CORE: Final[Mapping[str, object]] = {
    "twilio": {"account_sid": "AC" + "0" * 32, "auth_token": "0" * 32},
    "notify": [
        {"platform": "twilio_sms", "name": "core", "from_number": "+15005550006"}
    ],
}
"""Home Assistant's own integrations."""
_BARE: Final[Mapping[str, object]] = {"recorder": {}, "input_boolean": {"light": {}}}
_LIMITS: Final = dict.fromkeys(("limit_hour", "limit_day", "limit_repeats"), 1_000_000)
_TEXT: Final = "The washing machine leaks."
_WAYS: Final[Mapping[str, tuple[str, str, Callable[[str, Sequence[str]], Json]]]] = {
    "core": ("notify", "core", lambda _, to: {"target": to}),
    "sdk": ("probe", "sdk", lambda _, to: {"to": to}),
    "ours": (
        *("virtual_sms", "send_message"),
        lambda entry_id, to: {"config_entry_id": entry_id, "to": to},
    ),
    "alert": (
        *("virtual_sms", "alert"),
        lambda entry_id, to: {"steps": [{"config_entry_id": entry_id, "to": to}]},
    ),
}
"""The action of each way to send, and how it is told from where and to whom."""
DISKS: Final = (0, 15)
"""Milliseconds that a flush takes longer than here: those of a memory card as well."""
_DISK: Final = Path(__file__).with_name("disk.c")
_TIMEOUT: Final = 30.0
_TIDIED: Final = 1.2
"""Seconds without a write after which what is beside a file is brought into it."""


class CheckError(Exception):
    """A part did not do what it is timed for."""


class Disk:
    """What `disk.c` shares with us, through a file that both have in memory."""

    def __init__(self, folder: Path) -> None:
        """Build what stands between a home and its disk; that takes a C compiler."""
        folder.mkdir(parents=True, exist_ok=True)
        library, shared = folder / "disk.so", folder / "disk"
        build = ("cc", "-shared", "-fPIC", "-O2", "-o", library, _DISK)
        subprocess.run(build, check=True)  # noqa: S603  # our own command
        shared.write_bytes(bytes(24))
        self.environment = {"LD_PRELOAD": str(library), "BENCH_DISK": str(shared)}
        with shared.open("r+b") as file:
            self._shared = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")

    def slow_down(self, milliseconds: int) -> None:
        """Have each flush of any file take so much longer."""
        self._shared[0] = milliseconds * 1000

    @property
    def flushes(self) -> int:
        """Return how often our files were flushed."""
        return self._shared[1]

    @property
    def written(self) -> int:
        """Return the bytes that were written into our files."""
        return self._shared[2]


class Stage(Home):
    """A Home Assistant without users or pages, and a provider beside it.

    The probe in it is its remote control.
    """

    def __init__(
        self,
        name: str,
        provider: BenchProvider,
        turn: asyncio.Lock,
        product: Path = PRODUCT,
    ) -> None:
        """Prepare the home; nothing of it runs yet. It is measured while it has a turn."""
        self.provider = provider
        self.disk = Disk(FOLDER / "shim" / name)
        self._turn = turn
        plan = Plan(
            folder=FOLDER / name,
            port=free_port(),
            environment=self.disk.environment,
            companions=("probe",),
            product=product,
            end=signal.SIGKILL,
            settings=_BARE if name.startswith("memory") else {**_BARE, **CORE},
            log_level="error",
        )
        super().__init__(plan)

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

    async def send(
        self,
        way: str,
        entry_id: str,
        calls: Sequence[Sequence[str]],
        pause: float | None = None,
    ) -> dict[str, list[Any]]:
        """Call an action for the recipients of each call, as the probe does it."""
        domain, action, address = _WAYS[way]
        data = [{"message": _TEXT, **address(entry_id, to)} for to in calls]
        return dict(
            await self.probe(
                "call", domain=domain, action=action, calls=data, pause=pause
            )
        )

    async def add_number(self, provider: str, number: str = "") -> dict[str, str]:
        """Add a number without limits; return its entry id and webhook id."""
        side = self.provider.providers[provider]
        return await self.add(
            "virtual_sms",
            {"next_step_id": provider},
            {**side.credentials, "advanced": {"api_url": self.provider.url}},
            {"number": number or side.number, "name": provider},
            {"mode": "manual"},
            {},
            options={"limits": _LIMITS},
        )

    async def add(
        self, handler: str, *answers: object, **data: object
    ) -> dict[str, str]:
        """Add an entry of any integration by its config flow, and give it options."""
        data = {"handler": handler, "answers": answers, "options": {}, **data}
        return dict(await self.probe("configure", **data))

    async def expect[T](
        self, amount: int, act: Awaitable[T]
    ) -> tuple[T, dict[str, float]]:
        """Do what causes so many events, no fewer and no more; else CheckError.

        Return what was answered, and what the probe says of the last event.
        """
        wanted = (await self.probe("wait"))["count"] + amount
        answered = await act
        last = await self.probe("wait", wanted=wanted, seconds=_TIMEOUT)
        if last["count"] != wanted:
            raise CheckError(f"{last['count']} events instead of {wanted}")
        return answered, last

    async def settle(self) -> None:
        """Wait until all is tidied, and nothing has been written for a while."""
        written = None
        async with asyncio.timeout(_TIMEOUT):
            while written != self.disk.written:
                written = self.disk.written
                await asyncio.sleep(_TIDIED)

    def find_file(self, entry_id: str) -> Path:
        """Return where the store of a number is."""
        return self.plan.folder / ".storage" / f"virtual_sms.{entry_id}.db"

    async def duel[T](
        self,
        run: Callable[[T], Awaitable[Figures]],
        rounds: int,
        *contestants: T,
        warm_up: bool = True,
    ) -> Mapping[str, Figure]:
        """Run for each contestant once to warm up, then for all in turn, so many times.

        Every other round goes backwards, so that nobody always follows the same one.
        After each, the stage that this one is compared with has its round.
        """
        found: list[list[Figures]] = [[] for _ in contestants]
        for number in range(-warm_up, rounds):
            pairs = list(zip(contestants, found, strict=True))
            for contestant, figures in reversed(pairs) if number % 2 else pairs:
                taken = await run(contestant)
                if number >= 0:
                    figures.append(taken)
            # A lock is fair: whoever waits for it has it first.
            self._turn.release()
            await self._turn.acquire()
        return {
            name: Figure(*([each[name] for each in figures] for figures in found))
            for name in found[0][0]
        }
