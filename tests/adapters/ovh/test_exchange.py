"""What goes over the session: how often, how long, and what is known when it fails."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from custom_components.virtual_sms.adapters.errors import (
    ProviderUnavailableError,
    SendOutcomeUnknownError,
)
from custom_components.virtual_sms.adapters.ovh import exchange

from .test_adapter import adapter, connect, key, number, outbound, ovh, paths

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from custom_components.virtual_sms.adapters.models import PhoneNumber
    from custom_components.virtual_sms.adapters.ovh.adapter import OvhAdapter
    from simulator import Simulator
    from simulator.ovh import Ovh

__all__ = ["adapter", "connect", "key", "number", "ovh"]


def times(sim: Simulator) -> int:
    """Count the questions for the time."""
    return sum(each.path.endswith("/auth/time") for each in sim.requests)


async def test_the_time_is_asked_for_once(adapter: OvhAdapter, sim: Simulator) -> None:
    """However many need it at the same time."""
    await asyncio.gather(*(adapter.get_account() for _ in range(5)))
    assert times(sim) == 1


async def test_a_clock_that_was_set_is_noticed_once(
    adapter: OvhAdapter, sim: Simulator, ovh: Ovh
) -> None:
    """Nor do many that are refused for it ask more often than once."""
    await adapter.get_account()
    ovh.auth.drift = 3600
    await asyncio.gather(*(adapter.list_numbers() for _ in range(5)))
    assert times(sim) == 2


async def test_no_time_in_time(
    adapter: OvhAdapter,
    sim: Simulator,
    number: PhoneNumber,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who waits for the time in vain, or for who asks for it, has sent nothing."""
    monkeypatch.setattr(exchange, "_TIME_TIMEOUT", 0.1)
    sim.faults.add("slow", path="/auth/time", delay=0.4)
    sends = (adapter.send(number, outbound(), None) for _ in range(3))
    for error in await asyncio.gather(*sends, return_exceptions=True):
        assert isinstance(error, ProviderUnavailableError)
        assert not error.maybe_processed
    assert not paths(sim, "POST")


async def test_sends_are_not_bound_by_threads(
    sim: Simulator,
    session: aiohttp.ClientSession,
    connect: Callable[..., OvhAdapter],
    number: PhoneNumber,
) -> None:
    """The executor is asked for the import of the SDK, once, and for nothing else."""
    adapter = connect()
    jobs: list[Callable[..., object]] = []

    async def run(target: Callable[..., Any], *args: object) -> Any:
        jobs.append(target)
        return await asyncio.to_thread(target, *args)

    adapter._exchange._run_blocking = run
    await asyncio.gather(adapter.prepare(), adapter.prepare())
    sends = (
        adapter.send(number, outbound(message_id=f"m{each}"), None)
        for each in range(50)
    )
    assert len(await asyncio.gather(*sends)) == 50
    assert jobs == [exchange.build]
    assert adapter.is_asynchronous


async def test_a_call_that_was_given_up_holds_nothing(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """As many as may be under way hang; the next one goes through at once."""
    sim.faults.add("slow", path="/sms", delay=0.4)
    adapter.timeout = 0.1
    calls = (adapter.get_account() for _ in range(adapter.concurrency))
    for error in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(error, ProviderUnavailableError)
        assert error.maybe_processed
    sim.faults.clear()
    adapter.timeout = 5
    assert await adapter.send(number, outbound(), None)


@pytest.mark.parametrize("fault", ["dropped", "refused", "slow"])
async def test_a_request_that_left(
    fault: str, adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """Once the request is on its way, what becomes of it is not known."""
    await adapter.get_account()
    adapter.timeout = 0.3 if fault == "slow" else 5
    sim.faults.add(fault, path="/jobs", delay=0.5)
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await adapter.send(number, outbound(), None)
    assert not caught.value.answered


async def test_every_wait_ends(
    adapter: OvhAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request has a time to connect, to answer, and in all."""
    given: list[aiohttp.ClientTimeout] = []
    request = adapter._session.request

    def note(*args: Any, **options: Any) -> Any:
        given.append(options["timeout"])
        return request(*args, **options)

    monkeypatch.setattr(adapter._session, "request", note)
    await adapter.get_account()
    assert given
    for timeout in given:
        assert timeout.connect is not None
        assert timeout.sock_read is not None
        assert timeout.total is not None
        assert timeout.connect < timeout.sock_read < timeout.total <= adapter.timeout
    assert adapter.timeout > exchange._TIME_TIMEOUT
