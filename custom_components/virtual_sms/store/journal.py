"""What is about to leave, in files that outlive a crash of Home Assistant.

The event loop appends to one as a message leaves: that takes neither a thread nor a flush,
but some microseconds. There are two, in turn: what was noted until a batch is taken to the
disk is emptied, in the thread that has written the batch, while the loop appends to the
other one. A power cut may forget it.

What a batch could not write is kept in a third file, which has its room before the disk is
full: those messages have left, and nobody else would know of them after a crash.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
import json
import logging
import os
from pathlib import Path
from threading import Lock

_LOGGER = logging.getLogger(__name__)

ROOM = 64 * 1024
"""Bytes for what could not be written, about 150 messages; more of it is not kept."""

type Line = Sequence[object]
"""A row, whose first value is its id, and what its month is called."""


class _File:
    """One of the two; where it cannot be opened it takes nothing, and says nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self.is_empty = True

    def read(self) -> bytes:
        with suppress(OSError):
            return self._path.read_bytes()
        return b""

    def open(self) -> None:
        """Begin anew in it."""
        self.close()
        self.is_empty = True
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
        self._file = _open(self._path, flags)

    def append(self, content: bytes) -> bool:
        """Append it; False if the disk does not take all of it."""
        if self._file is None:
            return False
        self.is_empty = False
        with suppress(OSError):
            return os.write(self._file, content) == len(content)
        return False

    def empty(self) -> None:
        if self._file is not None and not self.is_empty:
            with suppress(OSError):
                os.ftruncate(self._file, 0)
                self.is_empty = True

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


class _Kept:
    """The third one, which is written over in its place, by the loop and by a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._used = 0
        self._lock = Lock()

    def read(self) -> bytes:
        with suppress(OSError):
            return self._path.read_bytes().replace(b"\0", b"")
        return b""

    def open(self) -> None:
        """Begin anew in it, and take the room if it is not there yet."""
        self.close()
        self._file = _open(self._path, os.O_RDWR | os.O_CREAT)
        with suppress(OSError):
            if self._path.read_bytes() != bytes(ROOM):
                self._write(bytes(ROOM), 0)

    def append(self, content: bytes) -> None:
        """Append as much as there is room for."""
        with self._lock:
            self._used += self._write(content[: ROOM - self._used], self._used)

    def empty(self, *, unless: Callable[[], bool]) -> None:
        """Overwrite what is there, unless it is needed."""
        with self._lock:
            if self._used and not unless() and self._write(bytes(self._used), 0):
                self._used = 0

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                os.close(self._file)
            self._file, self._used = None, 0

    def _write(self, content: bytes, place: int) -> int:
        """Write it there, and return how much of it the disk has taken."""
        if self._file is not None:
            with suppress(OSError):
                return os.pwrite(self._file, content, place)
        return 0


@dataclass(frozen=True, slots=True)
class Noted:
    """What was noted before a batch, for the thread that writes that."""

    _file: _File
    _kept: _Kept
    _is_needed: Callable[[], bool]

    def forget(self) -> None:
        """Empty it: all of it is on disk."""
        self._file.empty()
        self._kept.empty(unless=self._is_needed)

    def keep(self) -> None:
        """Put it where it stays: not all of it is on disk."""
        if not self._file.is_empty:
            self._kept.append(self._file.read())
            self._file.empty()


class Journal:
    """The few messages that are leaving, and may not be on disk yet.

    All but `note`, `void` and `turn` may wait for the disk, so it is not for the event loop.
    """

    def __init__(self, paths: Sequence[Path], kept: Path) -> None:
        """Take where they are; nothing is opened yet."""
        self._files = [_File(each) for each in paths]
        self._kept = _Kept(kept)
        self.is_needed: Callable[[], bool] = lambda: False
        """Says whether a message has left that is not on disk; asked in a thread."""

    def read(self) -> list[Line]:
        """Return what was leaving as an earlier run ended; it stays until they are opened.

        Raises nothing: without it only a crash at the worst moment forgets a message.
        """
        content = [each.read() for each in self._files]
        lines = [line for each in content for line in each.splitlines()]
        return [found for each in lines if (found := _read_line(_parse(each)))]

    def read_kept(self) -> list[Line]:
        """Return what had left by then, and could not be written."""
        kept: dict[object, Line] = {}
        for each in map(_parse, self._kept.read().splitlines()):
            match each:
                case [str() as message_id]:
                    kept.pop(message_id, None)
                case [[str() as message_id, *_], _]:
                    kept[message_id] = each
        return [*kept.values()]

    def open(self) -> None:
        """Begin anew, as what was left there is on disk by now; raises nothing either."""
        for each in self._files:
            each.open()
        self._kept.open()

    def note(self, lines: Iterable[Line]) -> None:
        """Write down what leaves."""
        content = _show(lines)
        if not self._files[0].append(content):
            self._kept.append(content)

    def void(self, message_id: str) -> None:
        """Write down that what is kept of a message means nothing: it has not left."""
        self._kept.append(_show([[message_id]]))

    def turn(self) -> Noted:
        """Go on in the other one, and return what was noted in this one."""
        self._files.reverse()
        return Noted(self._files[1], self._kept, self.is_needed)

    def close(self) -> None:
        """Close them, and delete those of the two that are empty.

        The rest is for the next run, such as the room, so that it has that on a full disk.
        """
        for each in self._files:
            each.delete()
        self._kept.empty(unless=self.is_needed)
        self._kept.close()


def _open(path: Path, flags: int) -> int | None:
    try:
        return os.open(path, flags, 0o600)
    except OSError as err:
        _LOGGER.debug("A journal cannot be opened: %s", type(err).__name__)
    return None


def _show(lines: Iterable[Sequence[object]]) -> bytes:
    # What was cut short before it spoils no line of these.
    return ("\n" + "".join(f"{json.dumps(each)}\n" for each in lines)).encode()


def _parse(line: bytes) -> object:
    """Read a line, which a crash may have cut short."""
    with suppress(ValueError):
        return json.loads(line)
    return None


def _read_line(found: object) -> Line | None:
    match found:
        case [[*_], _]:
            return found
    return None
