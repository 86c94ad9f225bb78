"""Run something in a thread, and learn what came of it in any case.

A thread cannot be stopped. Whoever waits for it can be, and would then say that
nothing happened while it goes on and happens all the same.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from ..adapters.base import RunBlocking


async def run_whole[*Ts, T](
    run_blocking: RunBlocking, target: Callable[[*Ts], T], *args: *Ts
) -> T:
    """Return the function's result, or raise what it raised, also when cancelled.

    Raises CancelledError only if the function never begins.
    """
    outcome: Future[T] = Future()
    try:
        return await run_blocking(_run, outcome, partial(target, *args))
    except asyncio.CancelledError:
        if outcome.cancel():
            raise
    await wait_out(asyncio.wrap_future(outcome))
    return outcome.result()


async def wait_out(future: asyncio.Future[Any]) -> None:
    """Wait until a future is done, however often the task that waits is cancelled.

    For what is short and goes on anyway, and must not be denied.
    """
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([future])


def _run[T](outcome: Future[T], function: Callable[[], T]) -> T:
    if not outcome.set_running_or_notify_cancel():
        raise asyncio.CancelledError
    try:
        result = function()
    # It is raised once more, by whoever waits.
    except BaseException as err:
        outcome.set_exception(err)
        raise
    outcome.set_result(result)
    return result
