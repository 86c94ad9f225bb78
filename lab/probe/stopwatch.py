"""Watch the event loop and the executor of a running Home Assistant."""

import asyncio
from asyncio import events
from collections import Counter
from collections.abc import Callable
from functools import partial
import gc
import time
from typing import Any

from homeassistant.core import HomeAssistant


class Stopwatch:
    """Time every callback of the loop, and count the threads that are busy at once.

    Nothing else runs while a callback does, so the longest one is the longest that
    anything had to wait.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Watch nothing yet."""
        self._loop = hass.loop
        self._untimed_run: Any = events.Handle._run  # noqa: SLF001  # there is no other place
        self._longest = 0.0
        self._slowest = ""
        self._collecting = 0.0
        self._began_to_collect = 0.0
        self._busy: Counter[str] = Counter()
        self._most_busy: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to watch."""
        self._longest, self._slowest, self._collecting = 0.0, "", 0.0
        gc.callbacks.append(self._time_collection)
        self._busy.clear()
        self._most_busy.clear()
        watch, untimed = self, self._untimed_run

        def run(handle: events.Handle) -> None:
            start = time.perf_counter()
            untimed(handle)
            took = time.perf_counter() - start
            if took > watch._longest:
                watch._longest, watch._slowest = took, _describe(handle)

        setattr(events.Handle, "_run", run)  # noqa: B010  # mypy is right to mind
        setattr(self._loop, "run_in_executor", self._run_in_executor)  # noqa: B010

    def stop(self) -> dict[str, Any]:
        """Stop watching, and say what was seen.

        `stall` is the longest that the loop stood still, in seconds: for its `slowest`
        step, or for the collector of garbage (`collecting`), which stops every thread.
        `threads` is by job the most that ran at a time.
        """
        setattr(events.Handle, "_run", self._untimed_run)  # noqa: B010
        delattr(self._loop, "run_in_executor")
        gc.callbacks.remove(self._time_collection)
        return {
            "stall": max(self._longest, self._collecting),
            "slowest": self._slowest,
            "collecting": self._collecting,
            "threads": dict(self._most_busy),
        }

    def _time_collection(self, phase: str, _: object) -> None:
        if phase == "start":
            self._began_to_collect = time.perf_counter()
        else:
            took = time.perf_counter() - self._began_to_collect
            self._collecting = max(self._collecting, took)

    def _run_in_executor(
        self, executor: Any, job: Callable[..., Any], *arguments: Any
    ) -> asyncio.Future[Any]:
        name = _name(job)
        self._busy[name] += 1
        self._most_busy[name] = max(self._most_busy[name], self._busy[name])
        future = type(self._loop).run_in_executor(self._loop, executor, job, *arguments)
        future.add_done_callback(partial(self._done, name))
        return future

    def _done(self, name: str, _: object) -> None:
        self._busy[name] -= 1


def _describe(handle: events.Handle) -> str:
    """Name the task if it is the step of one: the handle itself does not tell."""
    job = getattr(handle, "_callback", None)
    tasks = (each for each in gc.get_referents(job) if isinstance(each, asyncio.Task))
    return repr(next(tasks, handle))


def _name(job: Any) -> str:
    while isinstance(job, partial):
        job = job.func
    return f"{job.__module__}.{job.__qualname__}"
