"""What people do meanwhile: they write to the home, and have it send."""

import asyncio
import contextlib
from typing import Final

from simulator import FaultKind

from .world import HARMLESS, Traffic, World

PERSON: Final = "+33612345678"
UNREACHABLE: Final = {"twilio": "+15005551003", "ovh": "+33600000124"}
"""Recipients to whom nothing is delivered."""
_UNREACHABLE_SHARE: Final = 0.2
_REFUSED: Final = 400


async def write(world: World, traffic: Traffic) -> str:
    """Write to the home, and return the message's id at the provider."""
    text = f"in {traffic.name} {len(traffic.written)}"
    provider = world.simulator.providers[traffic.provider]
    message_id = provider.receive(PERSON, text, number=traffic.number)
    traffic.written[str(message_id)] = text
    return str(message_id)


async def ask(world: World, traffic: Traffic) -> None:
    """Have the home send, without waiting for its answer."""
    text = f"out {traffic.name} {len(traffic.asked)}"
    traffic.asked[text] = None
    call = asyncio.create_task(_call(world, traffic, text))
    world.calls.add(call)
    call.add_done_callback(world.calls.discard)


async def burst(world: World, traffic: Traffic, count: int = 30) -> None:
    """Have the home send many at once, to a provider that is slow to answer."""
    late = world.simulator.faults.add(
        FaultKind.LATE, provider=traffic.provider, method="POST", times=count, delay=1.0
    )
    for _ in range(count):
        await ask(world, traffic)
    await asyncio.sleep(world.chance.uniform(0.1, 0.5))
    late.times = late.hits


async def _call(world: World, traffic: Traffic, text: str) -> None:
    is_reached = world.chance.random() > _UNREACHABLE_SHARE
    to = PERSON if is_reached else UNREACHABLE[traffic.provider]
    data = {"config_entry_id": traffic.entry_id, "to": to, "message": text}
    path = "/api/services/virtual_sms/send_message?return_response"
    # A home that is being killed answers nothing: then nobody knows.
    with contextlib.suppress(*HARMLESS):
        status, answer = await world.home.request("POST", path, data)
        if status >= _REFUSED:
            traffic.refused[text] = str(answer)
            return
        (message,) = answer["service_response"]["messages"]
        if "error" in message:
            traffic.refused[text] = message["error"]
        elif message.get("remembered", True):
            traffic.asked[text] = message["message_id"]
