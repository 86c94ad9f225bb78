"""A number at work: what is sent is carried to its end."""

import asyncio
from datetime import timedelta
from pathlib import Path
import sqlite3
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.virtual_sms.adapters.errors import (
    ProviderUnavailableError,
)
from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
)
from custom_components.virtual_sms.core.code_memory import CodeMemory
from custom_components.virtual_sms.core.gateway import Gateway
from custom_components.virtual_sms.core.guard import ContactGuard
from custom_components.virtual_sms.core.outcome import Outcome
from custom_components.virtual_sms.store.changes import Received, Trust
from custom_components.virtual_sms.store.database import DatabaseClosedError
from tests.fakes import (
    NUMBER,
    inbound,
    outbound,
)

from .conftest import RETRY_WINDOW, World, settle


async def test_what_waits_wakes_the_outbox(world: World, gateway: Gateway) -> None:
    """Only then is there something to work on."""
    await gateway.send([outbound("m")], RETRY_WINDOW)
    assert world.woken == 0
    world.adapter.outcomes.append(ProviderUnavailableError(maybe_processed=False))
    (outcome,) = await gateway.send([outbound("n")], RETRY_WINDOW)
    assert outcome.waits
    assert world.woken == 1


async def test_who_gives_up_waiting_does_not_take_the_message_along(
    world: World, gateway: Gateway
) -> None:
    """An automation that is restarted cancels its actions, not our attempts."""
    answered = asyncio.Event()
    world.adapter.during["send"] = answered.wait
    task = asyncio.create_task(gateway.send([outbound("m")], RETRY_WINDOW))
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    answered.set()
    await settle()
    await world.rest()
    assert gateway.store.tally.sent == 1


async def test_a_line_that_closes_ends_its_attempts(
    world: World, gateway: Gateway
) -> None:
    """Who waits hears that it is queued; it goes on when the line opens again."""
    world.adapter.during["send"] = asyncio.Event().wait
    sending = asyncio.create_task(gateway.send([outbound("m")], RETRY_WINDOW))
    await settle()
    (attempt,) = (task for task in asyncio.all_tasks() if task.get_name() == "send")
    attempt.cancel()
    (outcome,) = await sending
    assert (outcome.status, outcome.error) == (DeliveryStatus.QUEUED, None)
    await gateway.store.outbound.recover()
    assert len(await gateway.store.outbound.due()) == 1


@pytest.mark.parametrize("steps", range(6))
async def test_a_line_that_closes_at_the_moment_of_writing(
    world: World, gateway: Gateway, steps: int
) -> None:
    """What is written down goes out, so nobody may hear that it does not."""
    world.adapter.during["send"] = asyncio.Event().wait
    records = gateway.store.outbound
    queue = records.queue

    async def queue_and_close(*args: Any) -> Any:
        written = await queue(*args)
        (attempt,) = (task for task in asyncio.all_tasks() if task.get_name() == "send")
        _cancel_after(attempt, steps)
        return written

    with patch.object(records, "queue", queue_and_close):
        (outcome,) = await asyncio.wait_for(
            gateway.send([outbound("m")], RETRY_WINDOW), 5
        )
    assert (outcome.status, outcome.error) == (DeliveryStatus.QUEUED, None)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_line_that_closes_while_it_writes(gateway: Gateway, times: int) -> None:
    """Who waits hears what came of it, however often it is told to close."""
    records, written = gateway.store.outbound, asyncio.Event()
    queue = records.queue

    async def queue_slowly(*args: Any) -> Any:
        await written.wait()
        return await queue(*args)

    with patch.object(records, "queue", queue_slowly):
        sending = asyncio.create_task(gateway.send([outbound("m")], RETRY_WINDOW))
        await settle()
        (attempt,) = (task for task in asyncio.all_tasks() if task.get_name() == "send")
        for _ in range(times):
            attempt.cancel()
            await settle()
        assert not sending.done()
        written.set()
        (outcome,) = await asyncio.wait_for(sending, 5)
    assert (outcome.status, outcome.error) == (DeliveryStatus.QUEUED, None)


async def test_a_line_that_closes_while_the_disk_fails(gateway: Gateway) -> None:
    """Who waits hears the disk's own words, for they say that nothing was written."""
    records, failed = gateway.store.outbound, asyncio.Event()

    async def fail(*_: Any) -> None:
        await failed.wait()
        raise sqlite3.OperationalError("database or disk is full")

    with patch.object(records, "queue", fail):
        sending = asyncio.create_task(gateway.send([outbound("m")], RETRY_WINDOW))
        await settle()
        (attempt,) = (task for task in asyncio.all_tasks() if task.get_name() == "send")
        attempt.cancel()
        await settle()
        failed.set()
        with pytest.raises(sqlite3.OperationalError):
            await asyncio.wait_for(sending, 5)


def _cancel_after(task: asyncio.Task[Any], steps: int) -> None:
    """Cancel a task after so many steps of the event loop."""
    if steps:
        loop = asyncio.get_running_loop()
        loop.call_soon(_cancel_after, task, steps - 1)
    else:
        task.cancel()


async def test_what_an_earlier_run_left(world: World, tmp_path: Path) -> None:
    """A new start tells what the last one did not, after Home Assistant started."""
    store = world.gateways.pop().store
    await store.inbound.admit([inbound("a")], late=False)
    await store.close()
    again = await world.add(NUMBER)
    assert world.names() == ["a"]
    await again.close()
    world.gateways.clear()


async def test_a_line_that_closes_before_anything_is_written(gateway: Gateway) -> None:
    """Then nothing is sent, and who sends hears it."""
    with (
        patch.object(gateway.outbox, "send", side_effect=asyncio.CancelledError),
        pytest.raises(DatabaseClosedError),
    ):
        await gateway.send([outbound("m")], RETRY_WINDOW)


async def test_trouble_after_all_was_written(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Is for the log: the messages go out, and must not seem to have failed."""

    async def send(messages: Any, _: Any, report: Any, *__: Any, **___: Any) -> None:
        report(Outcome(message=messages[0], status=DeliveryStatus.QUEUED))
        raise ZeroDivisionError

    with patch.object(gateway.outbox, "send", send):
        (outcome,) = await gateway.send([outbound("m")], RETRY_WINDOW)
    assert outcome.status is DeliveryStatus.QUEUED
    assert "unforeseen" in caplog.text


async def test_trouble_before_anything_is_written(gateway: Gateway) -> None:
    """Is for who sends: nothing goes out."""
    with (
        patch.object(gateway.outbox, "send", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
    ):
        await gateway.send([outbound("m")], RETRY_WINDOW)


async def test_a_command_that_waited_for_the_home_is_not_believed(
    world: World, gateway: Gateway
) -> None:
    """Whom we believe is decided again when it is published, by the provider's time."""
    message = Received(message=inbound("M"), late=False, trust=Trust.TRUSTED)
    five_minutes = timedelta(minutes=5)
    gateway._guard = ContactGuard(lambda _: None, CodeMemory(), lambda: five_minutes)
    gateway._publish(message)
    world.clock.advance(301)
    gateway._publish(message)
    trusts = [each.trust for each in world.heard[NUMBER.number]]  # type: ignore[union-attr]
    assert trusts == [Trust.TRUSTED, Trust.OUTDATED]


async def test_a_line_that_closes_notes_what_was_published(gateway: Gateway) -> None:
    """What follows from it is waited for, so that a reload publishes nothing again."""
    pending: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    with patch.object(gateway._publisher, "_pending", return_value=pending):
        news = await gateway.store.inbound.admit([inbound("m")], late=False)
        gateway.start()
        gateway._publisher.publish(news)
        closing = asyncio.create_task(gateway.close())
        await asyncio.sleep(0.01)
        pending.set_result([None])
        with patch.object(gateway._publisher, "_pending", return_value=None):
            await closing
    await gateway.open()
    assert await gateway.store.inbound.unpublished() == []
