"""A clock that never jumps, for the times that are written down.

A home's wall clock may be wrong, and is put right while we run: without a battery it
starts hours behind and steps when the network answers. A message must not expire by
such a step, nor wait for a day. So within a run time is counted by the monotonic
clock; and how far the wall clock has stepped away is kept with what is stored, which
a later run thereby finds shifted by as much.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
import time

from ..adapters.elapsed import Elapsed

TOLERANCE = timedelta(seconds=2)
"""How far the clocks may drift apart before it counts as a step."""


def monotonic() -> float:
    """Count seconds since some moment."""
    return time.monotonic()


class SteadyClock:
    """The time of what is stored: `begun_at` is when this run began."""

    def __init__(
        self, wall: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        """Take the home's wall clock, and one that counts seconds."""
        self._wall = wall
        self._elapsed = Elapsed(monotonic)
        self.begin(timedelta(), None)

    def begin(self, offset: timedelta, not_before: datetime | None) -> None:
        """Go on where an earlier run ended: `offset` is what it had noted.

        A wall clock that was put back meanwhile does not bring back times that are
        stored already, the newest of which is `not_before`.
        """
        now = self._wall() - offset
        self.begun_at = now if not_before is None else max(now, not_before)
        self._started = self._elapsed()

    def now(self) -> datetime:
        """Return the time."""
        return self.begun_at + timedelta(seconds=self._elapsed() - self._started)

    @property
    def offset(self) -> timedelta:
        """Return how far the wall clock is ahead of this one."""
        return self._wall() - self.now()
