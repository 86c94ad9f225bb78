"""What it takes to send: an alarm alone, many at once, and one call to many."""

from collections.abc import Mapping, Sequence
from functools import partial
import statistics
from typing import Final

from .duel import Contestant, Figures, duel
from .stage import CheckError, Stage

MANY: Final = [f"+336{number:08}" for number in range(50)]
_PAUSE: Final = 0.05
"""Seconds before each message that is sent alone: the home is at rest again."""
CALLS: Final[Mapping[str, tuple[Sequence[Sequence[str]], float | None]]] = {
    "alone": ([[each] for each in MANY[:8]], _PAUSE),
    "at once": ([[each] for each in MANY], None),
    "to all": ([MANY], None),
}
"""The recipients of each call, and the pause before each where there is one."""


class Sends:
    """Messages sent from inside a home, and counted by the provider."""

    def __init__(self, stage: Stage, entry_id: str) -> None:
        """Take the number that sends as we do."""
        self._stage = stage
        self._entry_id = entry_id

    def ways(self, calls: str, *ways: str) -> dict[str, Contestant]:
        """Let some ways make the same calls."""
        return {way: partial(self.run, way, calls) for way in ways}

    async def run(self, way: str, calls: str) -> Figures:
        """Send, check that all arrived, and say how long it took, in seconds.

        `leaves` is until the request is at the provider, `call` until the action
        returns, both of the message in the middle, and `all` until the last returns.
        """
        recipients, pause = CALLS[calls]
        arrived = self._stage.provider.arrived
        arrived.clear()
        data = {"calls": recipients, "pause": pause, "entry_id": self._entry_id}
        sent = await self._stage.probe("send", way=way, **data)
        if len(arrived) != sum(map(len, recipients)):
            raise CheckError(f"{way}: {len(arrived)} were sent by {recipients}")
        await self._stage.probe("rest")
        began, ended = sent["began"], sent["ended"]
        return {
            "leaves": _middle(began, arrived),
            "call": _middle(began, ended),
            "all": max(ended) - min(began),
        }


def _middle(began: Sequence[float], ended: Sequence[float]) -> float:
    pairs = zip(began, ended, strict=False)
    return statistics.median(end - begin for begin, end in pairs)


async def open_twilio(stage: Stage) -> Sends:
    """Add a number of Twilio's, and send by it or by core's own integration."""
    await stage.probe("aim_core", url=stage.provider.url)
    return Sends(stage, (await stage.add_number("twilio"))["entry_id"])


async def _open_ovh(stage: Stage) -> Sends:
    """Add a number of OVHcloud's, and send by it or by the bare SDK."""
    ovh = stage.provider.ovh
    keys = ("application_key", "application_secret", "consumer_key")
    await stage.probe(
        "aim_sdk",
        url=stage.provider.url,
        path=f"/sms/{ovh.SERVICE}/virtualNumbers/{ovh.NUMBER}/jobs",
        credentials=[ovh.credentials[key] for key in keys],
    )
    return Sends(stage, (await stage.add_number("ovh"))["entry_id"])


async def bench_alarm(stage: Stage) -> list[float]:
    """Time a message alone, through a provider that takes 100 ms."""
    sides, found = (await open_twilio(stage)).ways("alone", "core", "ours"), []
    stage.provider.delay = 0.1
    async for _ in stage.disks():
        result = await duel(sides, 3)
        found += [result.ratio("ours", "core", what) for what in ("leaves", "call")]
    return found


async def bench_ovh(stage: Stage) -> list[float]:
    """Time a message alone through OVHcloud, which takes 50 ms, beside its SDK."""
    sides = (await _open_ovh(stage)).ways("alone", "sdk", "ours")
    stage.provider.delay = 0.05
    return [
        (await duel(sides, 4)).ratio("sdk", "ours", "call") async for _ in stage.disks()
    ]


async def bench_many(stage: Stage) -> list[float]:
    """Time fifty calls at once, and one call to fifty."""
    sends = await open_twilio(stage)
    at_once = await duel(sends.ways("at once", "core", "ours"), 7)
    to_all = sends.ways("to all", "core", "ours")
    stage.provider.delay = 0.05
    found = [
        (await duel(to_all, 2)).ratio("core", "ours", "all")
        async for _ in stage.disks()
    ]
    return [at_once.ratio("core", "ours", "all"), *found]
