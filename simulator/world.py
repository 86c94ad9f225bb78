"""Hold what exists outside of the providers: time, tasks and logs."""

import asyncio
from collections import deque
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from .callbacks import CallbackRecord, Poster

if TYPE_CHECKING:
    from collections.abc import Coroutine

REQUESTS_KEPT: Final = 20_000


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """Remember a request; status None when the connection was cut."""

    provider: str
    method: str
    path: str
    query: dict[str, str]
    time: datetime
    status: int | None = None
    fault: str | None = None


class World:
    """Hold time, tasks and logs: what the providers run in."""

    def __init__(self) -> None:
        """Start with an automatic, half-a-second-paced world."""
        self.url = ""
        self.pace = 0.5
        self.automatic = True
        self.date_header: str | None = None
        self.closing = asyncio.Event()
        self.requests: deque[RequestRecord] = deque(maxlen=REQUESTS_KEPT)
        self.poster = Poster()
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def clock_offset(self) -> float:
        """Tell how many seconds the providers' clock is ahead of the home's."""
        return _CLOCK.offset.total_seconds()

    @clock_offset.setter
    def clock_offset(self, seconds: float) -> None:
        _CLOCK.offset = timedelta(seconds=seconds)

    @property
    def callbacks(self) -> list[CallbackRecord]:
        """List the callbacks posted and the answers to them."""
        return self.poster.log

    @property
    def reroute(self) -> dict[str, str]:
        """Map public origins to reachable ones, as a reverse proxy does."""
        return self.poster.reroute

    def background(self, work: Coroutine[object, object, object]) -> None:
        """Run a task that `settled` waits for and the exit cancels."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self, seconds: float) -> None:
        """Sleep, but no longer than the simulator serves."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)

    async def settled(self) -> None:
        """Wait until every status step and callback under way is done."""
        # Gathering only finished tasks would never yield, hence the filter.
        while tasks := [task for task in self._tasks if not task.done()]:
            await asyncio.gather(*tasks)

    async def cancel(self) -> None:
        """End what still runs."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(slots=True)
class _Clock:
    """Tell how far the providers' clock is from this machine's."""

    offset: timedelta = timedelta()


_CLOCK: Final = _Clock()


def now() -> datetime:
    """Return the providers' time, aware and in UTC."""
    return datetime.now(UTC) + _CLOCK.offset
