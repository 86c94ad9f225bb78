"""What the home is shaken with, one after the other, while people text.

Each shake ends what it began, whatever happens to the home meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from functools import partial
import secrets
from typing import Final

from lab.home import HomeError
from simulator import FaultKind

from .load import burst, write
from .world import HARMLESS, Json, Traffic, World

_STEPS: Final = (-7200.0, -600.0, 600.0, 7200.0)
"""Seconds by which a clock is wrong: no battery, summer time, a virtual machine."""
_FAULTS: Final = (
    FaultKind.REFUSED,
    FaultKind.RATE_LIMITED,
    FaultKind.SERVER_ERROR,
    FaultKind.BAD_GATEWAY,
    FaultKind.DROPPED,
    FaultKind.ACCEPTED_GARBAGE,
    FaultKind.LATE,
)
_RECEIPTS: Final = 5
"""The newest messages of the home whose records are spoilt."""
_NONSENSE: Final[dict[str, tuple[Json, ...]]] = {
    "twilio": (
        {"date_sent": "soon", "date_created": "soon"},
        {"body": 7},
        {"from": None},
    ),
    "ovh": ({"message": None}, {"creationDatetime": "soon"}, {"sender": None}),
}
"""What a record of a message says that cannot be read, by the provider's fields."""
_ODD_RECEIPT: Final[dict[str, Json]] = {
    "twilio": {"status": "teleported"},
    "ovh": {"deliveryReceipt": "teleported"},
}
_KILL_EVERY: Final = (6.0, 12.0)

type Shake = Callable[[World], Awaitable[None]]


async def kill(world: World) -> None:
    """Kill the home at a moment nobody chose."""
    await asyncio.sleep(world.chance.uniform(*_KILL_EVERY) / world.haste)
    await world.kill()


async def disturb_providers(world: World) -> None:
    """Let a provider fail in one way for a while."""
    faults = world.simulator.faults
    await asyncio.sleep(world.chance.uniform(0.2, 2.0))
    faults.add(
        world.chance.choice(_FAULTS),
        provider=world.chance.choice(("twilio", "ovh")),
        delay=world.chance.uniform(0.5, 20.0),
    )
    await asyncio.sleep(world.chance.uniform(0.2, 3.0))
    faults.clear()


async def lose_answers(world: World) -> None:
    """Let a provider accept what it is asked to send, and lose its answers."""
    faults = world.simulator.faults
    provider = world.chance.choice(("twilio", "ovh"))
    faults.add(FaultKind.DROPPED, provider=provider, method="POST")
    await asyncio.sleep(world.chance.uniform(0.3, 1.0))
    faults.clear()
    await asyncio.sleep(world.chance.uniform(0.3, 1.0))


async def step_clock(world: World) -> None:
    """Set the home's clock wrong, and right again after a while."""
    await world.set_clock(world.chance.choice(_STEPS))
    await asyncio.sleep(world.chance.uniform(1.0, 6.0))
    await world.insist(partial(world.set_clock, 0.0))


async def fill_disk(world: World) -> None:
    """Leave no room on the home's disk while it has much to send; then make some."""
    await burst(world, world.chance.choice(world.traffic))
    async with world.full_disk():
        await asyncio.sleep(world.chance.uniform(0.5, 4.0))


async def reload(world: World) -> None:
    """Reload a number while it has much to send."""
    traffic = world.chance.choice(world.traffic)
    await burst(world, traffic)
    path = f"/api/config/config_entries/entry/{traffic.entry_id}/reload"
    await world.home.ask("POST", path)


async def disable(world: World) -> None:
    """Disable a number while it has much to send, and enable it after a while."""
    traffic = world.chance.choice(world.traffic)
    await burst(world, traffic)
    try:
        await _set_disabled(world, traffic, "user")
        await asyncio.sleep(world.chance.uniform(0.5, 2.0))
    finally:
        await world.insist(partial(_set_disabled, world, traffic, None))


async def rotate_token(world: World) -> None:
    """Replace Twilio's token, and tell the home the new one."""
    world.simulator.twilio.auth_token = secrets.token_hex(16)
    for traffic in world.traffic:
        if traffic.provider == "twilio":
            await world.insist(partial(_reconfigure, world, traffic))


async def spoil_records(world: World) -> None:
    """Have some records make no sense for a while: a new message, and receipts."""
    traffic = world.chance.choice(world.traffic)
    provider = world.simulator.providers[traffic.provider]
    sent = provider.messages[-_RECEIPTS:]
    arrived = await write(world, traffic)
    traffic.unreadable.add(arrived)
    message = provider.find(arrived)
    message.record = dict(world.chance.choice(_NONSENSE[traffic.provider]))
    for each in sent:
        each.record = dict(_ODD_RECEIPT[traffic.provider])
    await asyncio.sleep(world.chance.uniform(2.0, 6.0))
    for each in (message, *sent):
        each.record = {}


async def put_right(world: World) -> None:
    """Undo what a shake could not, or what the home forgot in a kill right after.

    Home Assistant saves its entries about a second after it has answered. What is
    right is left alone: a number that is reloaded takes up what it had lost sight of.
    """
    await world.insist(partial(world.set_clock, 0.0))
    await world.insist(partial(world.shake_inside, "disk", full=False))
    for traffic in world.traffic:
        await world.insist(partial(_set_disabled, world, traffic, None))
    for traffic in world.traffic:
        await world.insist(partial(_renew_credentials, world, traffic))


async def _renew_credentials(world: World, traffic: Traffic) -> None:
    """Tell the home the credentials of a number if it has others."""
    known = await world.home.ask("GET", "/api/witness/credentials")
    wanted = world.simulator.providers[traffic.provider].credentials
    if not wanted.items() <= known[traffic.entry_id].items():
        await _reconfigure(world, traffic)


async def _set_disabled(world: World, traffic: Traffic, by: str | None) -> None:
    await world.home.command(
        "config_entries/disable", entry_id=traffic.entry_id, disabled_by=by
    )


async def _reconfigure(world: World, traffic: Traffic) -> None:
    path = "/api/config/config_entries/flow"
    start = {"handler": "virtual_sms", "entry_id": traffic.entry_id}
    step = await world.home.ask("POST", path, start)
    credentials = world.simulator.providers[traffic.provider].credentials
    end = await world.home.ask(
        "POST",
        f"{path}/{step['flow_id']}",
        {**credentials, "advanced": {"api_url": world.simulator.url}},
    )
    if end.get("reason") != "reconfigure_successful":
        with contextlib.suppress(*HARMLESS):
            await world.home.ask("DELETE", f"{path}/{step['flow_id']}")
        raise HomeError(f"not reconfigured: {end.get('errors') or end.get('reason')}")


SHAKES: Final[dict[str, Shake]] = {
    "clock": step_clock,
    "disk": fill_disk,
    "reload": reload,
    "disable": disable,
    "token": rotate_token,
    "records": spoil_records,
}
"""Those that take turns."""
STEADY: Final[dict[str, Shake]] = {
    "kill": kill,
    "faults": disturb_providers,
    "lost answers": lose_answers,
}
"""Those that go on by themselves beside the others."""
