"""Kill a real Home Assistant again and again, and count what was lost.

Four numbers, two of each provider, one called back and one polling, send and receive
without pause. Meanwhile the process is killed and restarted, the provider goes down,
limits, drops connections and answers nonsense, callbacks come twice and out of order,
and strangers forge them. In the end everything must have arrived, once.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
import contextlib
from dataclasses import dataclass, field
from functools import partial
import json
import random
import signal
import sys
import time
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from simulator import FaultKind, Quirk, Simulator

from .home import PROJECT, Home, HomeError, Plan, free_port
from .witness import EVENTS, FILE

FOLDER = PROJECT / ".demo" / "crash"
RECEIVED, STATUS = EVENTS
PERSON = "+33612345678"
_FAULTS = (
    FaultKind.REFUSED,
    FaultKind.RATE_LIMITED,
    FaultKind.SERVER_ERROR,
    FaultKind.BAD_GATEWAY,
    FaultKind.DROPPED,
    FaultKind.ACCEPTED_GARBAGE,
    FaultKind.LATE,
)
_FORGED = "forged"
_DRAIN = 150.0
_ENDED = ("delivered", "undelivered", "failed", "canceled")

type Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long and how hard."""

    seconds: float
    kill_every: tuple[float, float] = (6.0, 12.0)
    traffic_every: float = 0.4


@dataclass(kw_only=True)
class Traffic:
    """One number, and what was sent each way on it."""

    provider: str
    number: str
    mode: str
    entry_id: str = ""
    written: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str | None] = field(default_factory=dict)
    forged: int = 0

    @property
    def name(self) -> str:
        """Return what the table calls it."""
        return f"{self.provider}, {self.mode}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of everything on one number."""

    name: str
    written: int
    announced: int
    announced_twice: int
    inbound_lost: int
    asked: int
    accepted: int
    accepted_twice: int
    outbound_lost: int
    forged: int
    believed: int

    @property
    def is_clean(self) -> bool:
        """Say whether every promise was kept."""
        broken = (
            self.inbound_lost,
            self.accepted_twice,
            self.outbound_lost,
            self.believed,
        )
        return not any(broken)


def list_traffic(simulator: Simulator) -> list[Traffic]:
    """List the four numbers."""
    ovh, twilio = simulator.ovh, simulator.twilio
    return [
        Traffic(provider="twilio", number=twilio.NUMBER, mode="automatic"),
        Traffic(provider="twilio", number=twilio.SMS_ONLY_NUMBER, mode="polling"),
        Traffic(provider="ovh", number=ovh.NUMBER, mode="automatic"),
        Traffic(provider="ovh", number=ovh.SECOND_NUMBER, mode="polling"),
    ]


class Crash:
    """The whole experiment."""

    def __init__(
        self, simulator: Simulator, home: Home, chance: random.Random, pace: Pace
    ) -> None:
        """Take the world, and the dice."""
        self.simulator = simulator
        self.home = home
        self.chance = chance
        self.pace = pace
        self.kills = 0
        self.traffic = list_traffic(simulator)
        self._session = ClientSession(timeout=ClientTimeout(total=40))
        self._ends_at = time.monotonic() + pace.seconds
        self._calls: set[asyncio.Task[None]] = set()

    async def run(self) -> list[Row]:
        """Set up, wreak havoc, let it calm down, and count."""
        for each in self.traffic:
            await self._add(each)
        self.simulator.ovh.service.credits = 1_000_000.0
        for provider in self.simulator.providers.values():
            provider.quirks = {Quirk.DUPLICATED, Quirk.REORDERED}
        self._ends_at = time.monotonic() + self.pace.seconds
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._kill())
            tasks.create_task(self._disturb())
            for each in self.traffic:
                for act in (self._write, self._ask, self._forge):
                    tasks.create_task(self._repeat(partial(act, each)))
        await self._calm_down()
        await self._session.close()
        events = list(self._read_witness())
        return [self._count(each, events) for each in self.traffic]

    async def _add(self, traffic: Traffic) -> None:
        credentials = self.simulator.providers[traffic.provider].credentials
        end = await self.home.configure(
            "virtual_sms",
            {"next_step_id": traffic.provider},
            {**credentials, "advanced": {"api_url": self.simulator.url}},
            {"number": traffic.number},
            {"mode": traffic.mode},
        )
        traffic.entry_id = end["result"]["entry_id"]

    @property
    def _goes_on(self) -> bool:
        return time.monotonic() < self._ends_at

    async def _repeat(self, act: Callable[[], Awaitable[None]]) -> None:
        while self._goes_on:
            await asyncio.sleep(self.chance.uniform(0, 2 * self.pace.traffic_every))
            await act()

    async def _write(self, traffic: Traffic) -> None:
        """Write to the home."""
        text = f"in {traffic.name} {len(traffic.written)}"
        provider = self.simulator.providers[traffic.provider]
        message_id = provider.receive(PERSON, text, number=traffic.number)
        traffic.written[str(message_id)] = text

    async def _ask(self, traffic: Traffic) -> None:
        """Have the home send, without waiting for its answer."""
        text = f"out {traffic.name} {len(traffic.asked)}"
        traffic.asked[text] = None
        call = asyncio.create_task(self._call(traffic, text))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, traffic: Traffic, text: str) -> None:
        data = {"config_entry_id": traffic.entry_id, "to": PERSON, "message": text}
        path = "/api/services/virtual_sms/send_message?return_response"
        # A home that is being killed answers nothing: then nobody knows.
        with contextlib.suppress(ClientError, TimeoutError, HomeError, KeyError):
            answer = await self.home.ask("POST", path, data)
            (message,) = answer["service_response"]["messages"]
            traffic.asked[text] = message["message_id"]

    async def _forge(self, traffic: Traffic) -> None:
        """Call back with a message that never was."""
        url = self._callback_url(traffic)
        if url is None:
            return
        traffic.forged += 1
        form = _forge(traffic, self.simulator, self.chance.getrandbits(40))
        headers = {"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
        with contextlib.suppress(ClientError, TimeoutError):
            async with self._session.post(url, data=form, headers=headers) as answer:
                await answer.read()

    def _callback_url(self, traffic: Traffic) -> str | None:
        lines = self.simulator.providers[traffic.provider].lines()
        urls = [each["callback_url"] for each in lines if each["callback_url"]]
        return str(urls[0]) if urls and traffic.mode == "automatic" else None

    async def _kill(self) -> None:
        """Kill the home at moments nobody chose."""
        while self._goes_on:
            await asyncio.sleep(self.chance.uniform(*self.pace.kill_every))
            await self.home.stop(signal.SIGKILL)
            self.kills += 1
            await self.home.start()

    async def _disturb(self) -> None:
        """Let a provider fail in one way after another."""
        faults = self.simulator.faults
        while self._goes_on:
            await asyncio.sleep(self.chance.uniform(0.2, 2.0))
            faults.add(
                self.chance.choice(_FAULTS),
                provider=self.chance.choice(("twilio", "ovh")),
                delay=self.chance.uniform(0.5, 20.0),
            )
            await asyncio.sleep(self.chance.uniform(0.2, 3.0))
            faults.clear()
        faults.clear()

    async def _calm_down(self) -> None:
        """Start once more, and wait until nothing is under way."""
        if self._calls:
            await asyncio.wait(self._calls)
        await self.home.stop(signal.SIGKILL)
        self.kills += 1
        await self.home.start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN):
                while not await self._is_calm():  # noqa: ASYNC110  # a file is watched
                    await asyncio.sleep(1.0)

    async def _is_calm(self) -> bool:
        events = list(self._read_witness())
        return (
            all(
                row.inbound_lost == 0 and row.outbound_lost == 0
                for row in (self._count(each, events) for each in self.traffic)
            )
            and not await self._pending()
        )

    async def _pending(self) -> int:
        """Return how many outbound messages have not come to an end."""
        pending = 0
        for each in self.traffic:
            entities = await self.home.entities(each.entry_id)
            state = (await self.home.state(entities["pending"]))["state"]
            pending += int(state) if state.isdecimal() else 1
        return pending

    def _read_witness(self) -> Iterator[Json]:
        path = self.home.plan.folder / FILE
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                # The last line before a kill may be cut short.
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    def _count(self, traffic: Traffic, events: Sequence[Json]) -> Row:
        ours = [each for each in events if each["data"]["entry_id"] == traffic.entry_id]
        heard = Counter(
            str(each["data"]["message_id"]) for each in ours if each["type"] == RECEIVED
        )
        taken = Counter(
            each.text
            for each in self.simulator.providers[traffic.provider].messages
            if each.text in traffic.asked
        )
        ended = {
            each["data"]["message_id"]
            for each in ours
            if each["type"] == STATUS and each["data"]["final"]
        }
        promised = {text for text, known in traffic.asked.items() if known}
        return Row(
            name=traffic.name,
            written=len(traffic.written),
            announced=len(heard.keys() & traffic.written.keys()),
            announced_twice=sum(count > 1 for count in heard.values()),
            inbound_lost=len(traffic.written.keys() - heard.keys()),
            asked=len(promised | taken.keys()),
            accepted=len(taken),
            accepted_twice=sum(count > 1 for count in taken.values()),
            outbound_lost=sum(
                text not in taken and traffic.asked[text] not in ended
                for text in promised
            ),
            forged=traffic.forged,
            believed=len(heard.keys() - traffic.written.keys())
            + sum(_FORGED in each["data"].get("text", "") for each in ours),
        )


def _forge(traffic: Traffic, simulator: Simulator, number: int) -> dict[str, str]:
    """Make up a callback, all right but for its origin."""
    if traffic.provider == "twilio":
        return {
            "MessageSid": f"SM{number:032x}",
            "AccountSid": simulator.twilio.ACCOUNT_SID,
            "From": PERSON,
            "To": traffic.number,
            "Body": _FORGED,
            "NumMedia": "0",
        }
    return {
        "id": str(number),
        "senderid": PERSON,
        "message": _FORGED,
        "shortcode": traffic.number,
    }


async def experiment(pace: Pace, seed: int) -> tuple[list[Row], int]:
    """Run it, and return the table and the number of kills."""
    async with Simulator() as simulator:
        simulator.pace = 0.3
        plan = Plan(folder=FOLDER, port=free_port(), companions=("witness",))
        async with Home(plan) as home:
            crash = Crash(simulator, home, random.Random(seed), pace)  # noqa: S311  # dice, no secret
            return await crash.run(), crash.kills


def render(rows: Sequence[Row]) -> str:
    """Return the table as text."""
    titles = (
        ("", "name"),
        ("inbound: sent", "written"),
        ("announced", "announced"),
        ("twice", "announced_twice"),
        ("lost", "inbound_lost"),
        ("outbound: asked", "asked"),
        ("accepted", "accepted"),
        ("twice", "accepted_twice"),
        ("lost", "outbound_lost"),
        ("forged: sent", "forged"),
        ("believed", "believed"),
    )
    table = [[title for title, _ in titles]] + [
        [str(getattr(row, name)) for _, name in titles] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    )
    return "\n".join(f"| {line} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiment and return its exit code."""
    parser = argparse.ArgumentParser(prog="scripts/crash", description=__doc__)
    parser.add_argument("--seconds", type=float, default=75.0, help="of havoc")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(arguments)
    print(f"==> {options.seconds:.0f} s of havoc, seed {options.seed}", flush=True)
    rows, kills = asyncio.run(experiment(Pace(seconds=options.seconds), options.seed))
    print(f"==> killed {kills} times\n{render(rows)}")
    # A message may be announced again when the home dies before noting it.
    repeated = sum(row.announced_twice for row in rows)
    if all(row.is_clean for row in rows) and repeated <= kills * len(rows):
        print("crash: every promise kept")
        return 0
    print("crash: a promise was broken", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
