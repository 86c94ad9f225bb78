"""Names for what is sent."""

from secrets import token_hex
import time


class MessageIds:
    """Ids that are never the same twice, and each greater than those before.

    So new rows stand together in the file. Chance is drawn once, for to ask the system for
    some lets another thread have Python, from which a message that is to leave waits.
    """

    def __init__(self) -> None:
        """Begin; another run, or line, does not draw the same."""
        self._chance = token_hex(8)
        self._newest = 0

    def new(self) -> str:
        """Return an id."""
        self._newest = max(time.time_ns(), self._newest + 1)
        return f"{self._newest:016x}{self._chance}"
