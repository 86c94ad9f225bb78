"""What is about to leave, in files that outlive a crash of Home Assistant.

The event loop appends to one as a message leaves: that takes neither a thread nor a flush,
but some microseconds. There are two, in turn: what was noted until a batch is taken to the
disk is emptied, in the thread that has written the batch, while the loop appends to the
other one. A power cut may forget it.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
import json
import logging
import os
from pathlib import Path

_LOGGER = logging.getLogger(__name__)

type Line = Sequence[object]
"""A row, and what its month is called."""


class _File:
    """One of the two; where it cannot be opened it takes nothing, and says nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._is_empty = True

    def read(self) -> bytes:
        with suppress(OSError):
            return self._path.read_bytes()
        return b""

    def open(self) -> None:
        """Begin anew in it."""
        self.close()
        self._is_empty = True
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
            self._file = os.open(self._path, flags, 0o600)
        except OSError as err:
            _LOGGER.debug("A journal cannot be opened: %s", type(err).__name__)

    def append(self, content: bytes) -> None:
        if self._file is not None:
            self._is_empty = False
            with suppress(OSError):
                os.write(self._file, content)

    def empty(self) -> None:
        if self._file is not None and not self._is_empty:
            with suppress(OSError):
                os.ftruncate(self._file, 0)
                self._is_empty = True

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def delete(self) -> None:
        """Delete it, unless the next run has to read it."""
        self.close()
        with suppress(OSError):
            if not self._path.stat().st_size:
                self._path.unlink()


class Journal:
    """The few messages that are leaving, and may not be on disk yet.

    All but `note` and `turn` may wait for the disk, so it is not for the event loop.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Take where they are; nothing is opened yet."""
        self._files = [_File(each) for each in paths]

    def read(self) -> list[Line]:
        """Return what an earlier run has left there, which stays until they are opened.

        Raises nothing: without it only a crash at the worst moment forgets a message.
        """
        content = [each.read() for each in self._files]
        lines = [line for each in content for line in each.splitlines()]
        return [line for each in lines for line in _read(each)]

    def open(self) -> None:
        """Begin anew, as what was left there is on disk by now; raises nothing either."""
        for each in self._files:
            each.open()

    def note(self, lines: Iterable[Line]) -> None:
        """Write down what leaves."""
        content = "".join(f"{json.dumps(each)}\n" for each in lines)
        self._files[0].append(content.encode())

    def turn(self) -> Callable[[], None]:
        """Go on in the other one; return what empties this one, once it is on disk."""
        self._files.reverse()
        return self._files[1].empty

    def close(self) -> None:
        """Close them, and delete them where they are empty: the rest is for the next run."""
        for each in self._files:
            each.delete()


def _read(line: bytes) -> list[Line]:
    """Read a line, which a crash may have cut short."""
    with suppress(ValueError):
        match json.loads(line):
            case [[*_], _] as found:
                return [found]
    return []
