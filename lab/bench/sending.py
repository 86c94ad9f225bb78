"""What it costs to send, one at a time and many at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self

from .duel import Contestant, Duel, duel
from .report import Row, without_recorder
from .stage import CheckError, Stage, open_stage

ROUNDS: Final = 7
ALONE: Final = 30
MANY: Final = 50
CORE: Final = {
    "twilio": {"account_sid": "AC" + "0" * 32, "auth_token": "0" * 32},
    "notify": [
        {"platform": "twilio_sms", "name": "core", "from_number": "+15005550006"}
    ],
}
_DELAY: Final = 0.05
_WAYS: Final = ("raw", "core", "adapter", "ours")


class Sends:
    """Messages sent from inside a home, and counted by the provider."""

    def __init__(self, stage: Stage, **data: object) -> None:
        """Take what each way of sending needs to know."""
        self._stage = stage
        self._data = data

    @classmethod
    def to_twilio(cls, stage: Stage, entry_id: str) -> Self:
        """Send by a number of Twilio's."""
        twilio = stage.simulator.twilio
        return cls(
            stage,
            url=stage.provider.url,
            entry_id=entry_id,
            number=twilio.NUMBER,
            credentials=[twilio.ACCOUNT_SID, twilio.auth_token],
        )

    def contestant(self, way: str, calls: str, amount: int) -> Contestant:
        """Time a way of sending, in seconds; each round checks itself."""
        recipients = [f"+336{number:08}" for number in range(amount)]

        async def run() -> float:
            before = (await self._stage.tell_provider())["sends"]
            took = await self._stage.home.probe(
                "send", way=way, calls=calls, recipients=recipients, **self._data
            )
            sent = (await self._stage.tell_provider())["sends"] - before
            if sent != amount:
                raise CheckError(f"{way}: {sent} were sent instead of {amount}")
            await self._stage.home.probe("rest")
            return float(took)

        return run

    async def most_threads(self, way: str, calls: str, amount: int) -> dict[str, int]:
        """Return the most threads that were busy at once, by what they did."""
        await self._stage.home.probe("watch")
        await self.contestant(way, calls, amount)()
        return dict((await self._stage.home.probe("watched"))["threads"])


@asynccontextmanager
async def _twilio(*, recorder: bool = True) -> AsyncIterator[tuple[Stage, Sends]]:
    async with open_stage("send", CORE, recorder=recorder) as stage:
        ours = await stage.add_number("twilio")
        await stage.home.probe("aim_core", url=stage.provider.url)
        yield stage, Sends.to_twilio(stage, ours["entry_id"])


async def _take_turns(sends: Sends, rounds: int) -> tuple[Duel, Duel]:
    """Have all ways send one message after another, then fifty at once."""
    alone, many = [
        await duel({way: sends.contestant(way, calls, amount) for way in _WAYS}, rounds)
        for calls, amount in (("serial", ALONE), ("parallel", MANY))
    ]
    return alone, many


async def bench_send() -> list[Row]:
    """Time sends through Twilio, with a provider that answers at once."""
    async with _twilio() as (_, sends):
        alone, many = await _take_turns(sends, ROUNDS)
        threads = await sends.most_threads("ours", "parallel", MANY)
    async with _twilio(recorder=False) as (_, sends):
        quiet_alone, quiet_many = await _take_turns(sends, ROUNDS)
    held = {name: most for name, most in threads.items() if "database" not in name}
    one, fifty = "Send, one at a time", "Send, 50 at once"
    return [
        Row.at_least(one, "raw aiohttp", alone.ratio("raw", "ours"), 0.70),
        Row.at_least(one, "core's twilio_sms", alone.ratio("core", "ours"), 2),
        Row.ratio(f"{one}, the adapter", "raw aiohttp", alone.ratio("raw", "adapter")),
        *without_recorder(one, _beside(quiet_alone)),
        Row.at_least(fifty, "raw aiohttp", many.ratio("raw", "ours"), 0.60),
        Row.at_least(fifty, "core's twilio_sms", many.ratio("core", "ours"), 3),
        Row.ratio(f"{fifty}, the adapter", "raw aiohttp", many.ratio("raw", "adapter")),
        *without_recorder(fifty, _beside(quiet_many)),
        Row.at_most("Threads held while sending", "", sum(held.values()), 0, "threads"),
    ]


def _beside(quiet: Duel) -> dict[str, float]:
    return {
        "raw aiohttp": quiet.ratio("raw", "ours"),
        "core's twilio_sms": quiet.ratio("core", "ours"),
    }


async def bench_many() -> list[Row]:
    """Time one message to 50 recipients, with a provider that takes 50 ms."""
    async with _twilio() as (stage, sends):
        await stage.tell_provider(delay=_DELAY)
        result = await duel(
            {way: sends.contestant(way, "single", MANY) for way in ("core", "ours")}, 3
        )
    what = "One message to 50 recipients, 50 ms each"
    ratio = result.ratio("core", "ours")
    return [Row.at_least(what, "core's twilio_sms", ratio, 10)]


async def bench_ovh() -> list[Row]:
    """Time sends through OVHcloud, beside its SDK alone."""
    async with open_stage("ovh") as stage:
        ours = await stage.add_number("ovh")
        ovh = stage.simulator.ovh
        keys = ("application_key", "application_secret", "consumer_key")
        sends = Sends(
            stage,
            url=stage.provider.url,
            entry_id=ours["entry_id"],
            number=ovh.NUMBER,
            service=ovh.SERVICE,
            credentials=[ovh.credentials[key] for key in keys],
        )
        result = await duel(
            {
                way: sends.contestant(way, "serial", ALONE)
                for way in ("bare ovh", "adapter", "ours")
            },
            ROUNDS,
        )
        threads = await sends.most_threads("ours", "parallel", MANY)
    held = sum(most for name, most in threads.items() if "ovh" in name)
    what = "Send through OVHcloud"
    adapter = result.ratio("bare ovh", "adapter")
    return [
        Row.at_least(what, "the bare SDK", result.ratio("bare ovh", "ours"), 0.95),
        Row.ratio(f"{what}, the adapter", "the bare SDK", adapter),
        Row.at_most("Threads held by 50 sends", "", held, 4, "threads"),
    ]
