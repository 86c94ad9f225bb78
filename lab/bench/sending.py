"""What it takes to send: an alarm alone, many at once, and one call to many."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
import statistics
from typing import Final

from .duel import Contestant, Figures, duel
from .stage import CheckError, Stage

MANY: Final = [f"+336{number:08}" for number in range(50)]
_PAUSE: Final = 0.05
"""Seconds before each message that is sent alone: the home is at rest again."""
CALLS: Final[Mapping[str, tuple[Sequence[Sequence[str]], float | None]]] = {
    "alone": ([[each] for each in MANY[:7]], _PAUSE),
    "at once": ([[each] for each in MANY], None),
    "to all": ([MANY], None),
}
"""The recipients of each call, and the pause before each where there is one."""


async def send(stage: Stage, entry_id: str, calls: str, way: str) -> Figures:
    """Send, check that all arrived, and say how long it took, in seconds.

    `leaves` is until the request is at the provider, `call` until the action
    returns, both of the message in the middle, and `all` until the last returns.
    """
    recipients, pause = CALLS[calls]
    arrived = stage.provider.arrived
    arrived.clear()
    data = {"calls": recipients, "pause": pause, "entry_id": entry_id}
    sent = await stage.probe("send", way=way, **data)
    if len(arrived) != sum(map(len, recipients)):
        raise CheckError(f"{way}: {len(arrived)} were sent by {recipients}")
    await stage.probe("rest")
    began, ended = sent["began"], sent["ended"]
    return {
        "leaves": _middle(began, arrived),
        "call": _middle(began, ended),
        "all": max(ended) - min(began),
    }


def _middle(began: Sequence[float], ended: Sequence[float]) -> float:
    pairs = zip(began, ended, strict=False)
    return statistics.median(end - begin for begin, end in pairs)


type Ways = Callable[[str], Mapping[str, Contestant]]
"""Returns who makes some calls, way by way."""


def _ways(stage: Stage, entry: Mapping[str, str], *ways: str) -> Ways:
    make = partial(send, stage, entry["entry_id"])
    return lambda calls: {way: partial(make, calls, way) for way in ways}


async def _open_twilio(stage: Stage) -> Ways:
    """Send by core's own integration, or by a number of Twilio's."""
    await stage.probe("aim_core", url=stage.provider.url)
    return _ways(stage, await stage.add_number("twilio"), "core", "ours")


async def _open_ovh(stage: Stage) -> Ways:
    """Send by the bare SDK, or by a number of OVHcloud's."""
    ovh = stage.provider.ovh
    keys = ("application_key", "application_secret", "consumer_key")
    await stage.probe(
        "aim_sdk",
        url=stage.provider.url,
        path=f"/sms/{ovh.SERVICE}/virtualNumbers/{ovh.NUMBER}/jobs",
        credentials=[ovh.credentials[key] for key in keys],
    )
    return _ways(stage, await stage.add_number("ovh"), "sdk", "ours")


async def bench_alarm(stage: Stage) -> list[float]:
    """Time a message alone, through a provider that takes 100 ms."""
    sides, found = (await _open_twilio(stage))("alone"), []
    stage.provider.delay = 0.1
    async for _ in stage.disks():
        result = await duel(sides, 3)
        found += [result.ratio("ours", "core", what) for what in ("leaves", "call")]
    return found


async def bench_ovh(stage: Stage) -> list[float]:
    """Time a message alone through OVHcloud, which takes 50 ms, beside its SDK."""
    sides = (await _open_ovh(stage))("alone")
    stage.provider.delay = 0.05
    return [
        (await duel(sides, 3)).ratio("sdk", "ours", "call") async for _ in stage.disks()
    ]


async def bench_many(stage: Stage) -> list[float]:
    """Time fifty calls at once, and one call to fifty."""
    ways = await _open_twilio(stage)
    at_once = await duel(ways("at once"), 7)
    stage.provider.delay = 0.05
    to_all = [await duel(ways("to all"), 2) async for _ in stage.disks()]
    return [each.ratio("core", "ours", "all") for each in (at_once, *to_all)]
