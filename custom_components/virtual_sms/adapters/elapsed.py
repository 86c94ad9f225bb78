"""Count the time that goes by, whatever the clocks do."""

from collections.abc import Callable
from typing import Final

LEAP: Final = 10 * 365 * 86_400.0
"""Seconds that nobody lets go by between two looks."""


class Elapsed:
    """Seconds since it was made, by a count that only ever grows.

    A machine that is resumed from an image of itself may count from elsewhere: it
    goes back, or leaps by decades. Then the count goes on from where it was.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Take what counts seconds."""
        self._monotonic = monotonic
        self._last = monotonic()
        self._seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds that have gone by."""
        now = self._monotonic()
        gone, self._last = now - self._last, now
        if 0 <= gone < LEAP:
            self._seconds += gone
        return self._seconds
