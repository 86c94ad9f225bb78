"""Ask a provider for what goes beside the messages, and let it fail by itself.

A balance or a receipt that cannot be read is no reason to call a number unavailable,
nor a message late. It is logged once, and asked for again after growing pauses.
"""

from collections.abc import Awaitable, Callable
import logging

from ..adapters.errors import SmsError
from ..store.clock import monotonic
from ..store.database import DatabaseClosedError

_LOGGER = logging.getLogger(__name__)

FIRST_PAUSE = 60.0
"""Seconds between the second failure and the next question; the first has none."""
LONGEST_PAUSE = 1800.0


class SideQuestion:
    """A question that is asked when it is due; `error` is how it last failed."""

    def __init__(self, kind: str, provider: str, interval: float = 0.0) -> None:
        """Take what is asked for, of whom, and how many seconds an answer holds."""
        self.kind = kind
        self.error: SmsError | None = None
        self._provider = provider
        self._interval = interval
        self._failures = 0
        self._due_at: float | None = None
        self._is_wanted = False

    @property
    def is_due(self) -> bool:
        """Say whether it is time to ask."""
        return not self.pause

    @property
    def pause(self) -> float:
        """Return in how many seconds it is time to ask."""
        if self._is_wanted or self._due_at is None:
            return 0.0
        return max(self._due_at - monotonic(), 0.0)

    def ask_soon(self) -> None:
        """Have it asked at the next occasion, also if that is being done now."""
        self._is_wanted = True

    async def ask[T](self, question: Callable[[], Awaitable[T]]) -> T | None:
        """Return the answer, or None when there is none now."""
        self._is_wanted = False
        try:
            answer = await question()
        except DatabaseClosedError:
            return None
        except SmsError as err:
            self._fail(err)
        # Whatever it is, the messages do not depend on it.
        except Exception as err:
            _LOGGER.debug("A question failed in an unforeseen way", exc_info=err)
            self._fail(SmsError(type(err).__name__))
        else:
            self._succeed()
            return answer
        return None

    def _succeed(self) -> None:
        if self.error is not None:
            _LOGGER.info("The %s can be read again (%s)", self.kind, self._provider)
        self.error, self._failures = None, 0
        self._due_at = monotonic() + self._interval

    def _fail(self, err: SmsError) -> None:
        if self.error is None:
            _LOGGER.warning(
                "The %s cannot be read now (%s): %s",
                self.kind,
                self._provider,
                err.code if err.code != SmsError.code else str(err) or err.code,
            )
        self.error = err
        self._failures += 1
        # The next poll asks again, and the polls after it more and more seldom.
        pause = FIRST_PAUSE * (2 ** min(self._failures - 1, 10) - 1)
        self._due_at = monotonic() + min(max(pause, err.asked_pause), LONGEST_PAUSE)
