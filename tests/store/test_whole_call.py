"""What runs in a thread is known to have run, or not to have begun."""

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from custom_components.virtual_sms.store.whole_call import run_whole


async def test_what_was_cancelled_never_begins() -> None:
    """A thread that comes to it later finds that nobody wants it any more."""
    jobs: list[tuple[Any, ...]] = []
    waits = asyncio.Event()
    ran: list[None] = []

    async def put_off(*job: Any) -> Any:
        jobs.append(job)
        await waits.wait()

    task = asyncio.create_task(run_whole(put_off, ran.append, None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [(run, outcome, function)] = jobs
    assert isinstance(outcome, Future)
    with pytest.raises(asyncio.CancelledError):
        run(outcome, function)
    assert not ran
