"""Watch the event loop of a running Home Assistant."""

from asyncio import events
import gc
import time
from typing import Any, Final

_HANDLE: Final[Any] = events.Handle
_UNTIMED: Final = _HANDLE._run  # noqa: SLF001  # there is no other place


class Stopwatch:
    """Time every callback of the loop, and the collector of garbage.

    Nothing else runs while a callback does, and nothing at all while garbage is
    collected, so the longest is the longest that anything had to wait.
    """

    _longest = _collects_since = 0.0

    def start(self) -> None:
        """Begin to watch."""
        self._longest = 0.0
        gc.callbacks.append(self._collect)

        def run(handle: events.Handle) -> None:
            start = time.monotonic()
            _UNTIMED(handle)
            self._note(start)

        _HANDLE._run = run  # noqa: SLF001

    def stop(self) -> float:
        """Stop watching; return the longest that the loop stood still, in seconds."""
        _HANDLE._run = _UNTIMED  # noqa: SLF001
        gc.callbacks.remove(self._collect)
        return self._longest

    def _collect(self, phase: str, _: object) -> None:
        if phase == "start":
            self._collects_since = time.monotonic()
        else:
            self._note(self._collects_since)

    def _note(self, start: float) -> None:
        self._longest = max(self._longest, time.monotonic() - start)
