"""What is about to leave, in a file that outlives a crash of Home Assistant.

The event loop writes it as a message leaves: that takes neither a thread nor a flush, but
some microseconds. It is empty again once the message is on disk. A power cut
may forget it.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
import json
import logging
import os
from pathlib import Path

_LOGGER = logging.getLogger(__name__)

type Line = Sequence[object]
"""A row, and what its month is called."""


class Journal:
    """The few messages that are leaving, and may not be on disk yet."""

    def __init__(self, path: Path) -> None:
        """Take where it is; nothing is opened yet."""
        self._path = path
        self._file: int | None = None
        self._is_empty = True

    def open(self) -> list[Line]:
        """Open it, and return what an earlier run has left in it.

        Raises nothing: without it only a crash at the worst moment forgets a message.
        """
        self.close()
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            self._file = os.open(self._path, flags, 0o600)
            content = self._path.read_bytes()
        except OSError as err:
            _LOGGER.debug("The journal cannot be opened: %s", type(err).__name__)
            return []
        self._is_empty = not content
        return [line for each in content.splitlines() for line in _read(each)]

    def note(self, lines: Iterable[Line]) -> None:
        """Write down what leaves."""
        if self._file is not None:
            self._is_empty = False
            content = "".join(f"{json.dumps(each)}\n" for each in lines)
            with suppress(OSError):
                os.write(self._file, content.encode())

    def clear(self) -> None:
        """Forget all: it is on disk, or is not to be remembered."""
        if self._file is not None and not self._is_empty:
            with suppress(OSError):
                os.ftruncate(self._file, 0)
                self._is_empty = True

    def close(self) -> None:
        """Close it; what is in it is for the next run."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _read(line: bytes) -> list[Line]:
    """Read a line, which a crash may have cut short."""
    with suppress(ValueError):
        match json.loads(line):
            case [[*_], _] as found:
                return [found]
    return []
