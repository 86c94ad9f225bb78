"""Notice what waits for a disk or a network in the thread of the event loop.

Home Assistant's own detection is off in tests but for two calls, and it knows neither
databases nor sockets. Python itself tells of both, by its audit events; what it does not
tell of is wrapped.
"""

from contextlib import contextmanager
import linecache
import os
from pathlib import Path
import sqlite3
import sys
import threading
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_PRODUCT = str(Path(__file__).parents[1] / "custom_components" / "virtual_sms")
_TOOLS = (linecache.__file__, str(Path(coverage.__file__).parent))
"""What reads our source lines in tests: asyncio notes who made what, and the measure
of coverage opens a file when it first sees it branch."""
_WAITS = {
    *("import", "open", "time.sleep", "http.client.connect", "sqlite3.connect"),
    *("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"),
    *("os.chmod", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir"),
    *("os.scandir", "os.system", "os.truncate", "subprocess.Popen"),
}


class Watch:
    """What our code, or what it calls, waited for in one thread."""

    def __init__(self) -> None:
        """Watch the thread that makes it."""
        self.seen: list[str] = []
        self._thread = threading.get_ident()

    def note(self, what: str) -> None:
        """Take note of a call that may wait, if it is made here and by us."""
        if threading.get_ident() != self._thread:
            return
        if place := _place(sys._getframe(1)):
            self.seen.append(f"{what} at {place}")

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of an audit event."""
        if event not in _WAITS:
            return
        if event == "socket.connect" and arguments[0].gettimeout() == 0:
            return  # The event loop's own: it does not wait.
        self.note(event)


def _place(frame: FrameType | None) -> str | None:
    """Return the line of ours that a call comes from."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_TOOLS):
            return None
        if frame.f_code.co_filename.startswith(_PRODUCT):
            return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        frame = frame.f_back
    return None


_watches: list[Watch] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    for watch in _watches:
        watch.hear(event, arguments)


_is_hooked = False


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch this thread. Databases are watched that are opened meanwhile."""
    global _is_hooked  # noqa: PLW0603  # a hook stays for as long as the process
    if not _is_hooked:
        sys.addaudithook(_hear)
        _is_hooked = True
    watch = Watch()

    class Connection(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.set_trace_callback(lambda _: watch.note("sqlite3 statement"))

        def close(self) -> None:
            watch.note("sqlite3 close")
            super().close()

    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    fsync = os.fsync

    def open_watched(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        return connect(*args, **{"factory": Connection, **kwargs})

    def flush(file: int) -> None:
        watch.note("os.fsync")
        fsync(file)

    with (
        patch.object(sqlite3, "connect", open_watched),
        patch.object(os, "fsync", flush),
    ):
        _watches.append(watch)
        try:
            yield watch
        finally:
            _watches.remove(watch)
