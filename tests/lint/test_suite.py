"""What the suite itself promises, whatever is done to make it fast."""

import asyncio

import pytest


async def test_another_thread_is_refused() -> None:
    """What our code would hand to the event loop from elsewhere fails its test."""
    loop = asyncio.get_running_loop()
    with pytest.raises(RuntimeError, match="Non-thread-safe"):
        await loop.run_in_executor(None, loop.call_soon, print)


async def test_no_traceback_is_kept() -> None:
    """A future does not note who made it: that takes a third of the time."""
    assert not asyncio.get_running_loop().get_debug()
