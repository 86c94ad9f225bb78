"""How long a caller waits for a message: until it is far enough, has ended, or time is up."""

import asyncio
from typing import Any

import pytest

from custom_components.virtual_sms.adapters.models import DeliveryStatus
from custom_components.virtual_sms.core.waiting import DeliveryWaiter, WaitFor
from custom_components.virtual_sms.store.changes import Received, StatusChanged
from tests.fakes import START, inbound

QUEUED, SENT, DELIVERED = (
    DeliveryStatus.QUEUED,
    DeliveryStatus.SENT,
    DeliveryStatus.DELIVERED,
)


def state(
    status: DeliveryStatus = QUEUED, *, accepted: bool = True, **more: Any
) -> StatusChanged:
    """Make a state of a message."""
    known: dict[str, Any] = {
        "message_id": "m",
        "provider_id": "P" if accepted else None,
        "recipient": "+33612345678",
        "status": status,
        "previous": None,
        "at": START,
    }
    return StatusChanged(**(known | more))


@pytest.mark.parametrize(
    ("level", "last", "is_done", "has_arrived"),
    [
        ("accepted", state(accepted=False), False, False),
        ("accepted", state(DeliveryStatus.UNKNOWN, accepted=False), False, False),
        ("accepted", state(), True, True),
        ("accepted", state(SENT), True, True),
        ("accepted", state(DeliveryStatus.FAILED, accepted=False), True, False),
        ("accepted", state(DeliveryStatus.UNDELIVERED), True, False),
        ("sent", state(), False, False),
        ("sent", state(SENT), True, True),
        ("sent", state(DELIVERED), True, True),
        ("sent", state(DeliveryStatus.CANCELED), True, False),
        ("delivered", state(SENT), False, False),
        ("delivered", state(DELIVERED), True, True),
        ("delivered", state(DeliveryStatus.UNDELIVERED), True, False),
    ],
)
async def test_levels(
    level: str, last: StatusChanged, is_done: bool, has_arrived: bool
) -> None:
    """A message is far enough, or at its end, or still to be waited for."""
    waiter = DeliveryWaiter(WaitFor(level), "m")
    assert not waiter.has_arrived
    waiter.handle(last)
    assert (waiter.is_done, waiter.has_arrived) == (is_done, has_arrived)


async def test_only_its_own() -> None:
    """Other messages, what comes in, and what nobody knows wake nobody."""
    waiter = DeliveryWaiter(WaitFor.ACCEPTED, "m")
    waiter.handle(state(DELIVERED, message_id="n"))
    waiter.handle(Received(message=inbound("i"), late=False))
    waiter.handle(None)
    assert waiter.state is None
    assert not waiter.is_done


async def test_nothing_goes_back() -> None:
    """What is read late takes nothing back, and an id that was known stays."""
    waiter = DeliveryWaiter(WaitFor.DELIVERED, "m")
    waiter.handle(state(SENT))
    waiter.handle(state(QUEUED))
    waiter.handle(state(SENT, accepted=False))
    assert waiter.state is not None
    assert (waiter.state.status, waiter.state.provider_id) == (SENT, "P")


async def test_woken_by_a_change() -> None:
    """Whoever waits goes on at once."""
    waiter = DeliveryWaiter(WaitFor.DELIVERED, "m")
    waiting = asyncio.create_task(waiter.wait(60))
    await asyncio.sleep(0)
    waiter.handle(state(DELIVERED))
    await asyncio.wait_for(waiting, 1)
    assert waiter.has_arrived


async def test_time_is_up() -> None:
    """Nobody waits for longer than they wanted to."""
    waiter = DeliveryWaiter(WaitFor.DELIVERED, "m")
    waiter.handle(state(SENT))
    await waiter.wait(0.01)
    assert not waiter.is_done
