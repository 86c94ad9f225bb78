"""A secret that was replaced: for a short while it may still have signed something.

It may have been replaced because it leaked, so it ends as early as it can.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .elapsed import Elapsed

LASTS: Final = timedelta(days=1)


def previous_keys(key: str) -> tuple[str, str]:
    """Name what is kept beside a credential: its replaced value, and until when."""
    return f"previous_{key}", f"previous_{key}_until"


class ReplacedSecret:
    """The value before the present one, while it still counts.

    It counts until the time that is stored with it, and no longer within a run than
    was left of that at the beginning, whatever the clock of the home does. A time that
    is missing, makes no sense or is further away than it can be is over.
    """

    def __init__(
        self, credentials: Mapping[str, str], key: str, elapsed: Elapsed
    ) -> None:
        """Find the secret that the present value of a credential replaced."""
        previous, until = previous_keys(key)
        self._until = _read_time(credentials.get(until))
        self._left = self._until - datetime.now(UTC)
        self._elapsed, self._begin = elapsed, elapsed()
        self._value = credentials.get(previous)
        self._is_kept = previous in credentials or until in credentials

    @property
    def value(self) -> str | None:
        """Return the secret while it counts; once over, it never does again."""
        if self._value is not None and not self._is_in_time():
            self._value = None
        return self._value

    @property
    def is_over(self) -> bool:
        """Say whether the credentials keep what is of no use any more."""
        return self._is_kept and self.value is None

    def retire(self) -> None:
        """Forget the secret, since the one that replaced it is in use."""
        self._value = None

    def _is_in_time(self) -> bool:
        left = self._until - datetime.now(UTC)
        gone = timedelta(seconds=self._elapsed() - self._begin)
        return timedelta(0) < left <= LASTS and gone < self._left <= LASTS


def _read_time(text: object) -> datetime:
    """Read an end; what is none was long ago."""
    long_ago = datetime.min.replace(tzinfo=UTC)
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return long_ago
    return long_ago if time.tzinfo is None else time
