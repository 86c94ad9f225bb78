"""Bound how often something may be done, and leave room for a burst."""

from collections.abc import Callable


class TokenBucket:
    """A number of tokens that grows back with time."""

    def __init__(self, size: int, refill: float, clock: Callable[[], float]) -> None:
        """Start with all of it; one more grows back every `refill` seconds."""
        self._size = size
        self._refill = refill
        self._clock = clock
        self._left = float(size)
        self._at = clock()

    def take(self) -> bool:
        """Take one, and say whether there was one."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) / self._refill, self._size)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
