"""Send many HTTP requests over a few connections, at little cost of our own."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
import statistics
import time
from typing import override
from urllib.parse import urlsplit

_END_OF_HEAD = b"\r\n\r\n"
_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """A POST, ready to go out."""

    data: bytes

    @classmethod
    def post(
        cls, path: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Request:
        """Write a form out."""
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        return cls("\r\n".join(lines).encode() + _END_OF_HEAD + body)


@dataclass(slots=True)
class Blast:
    """What came of a number of requests: `latencies` and `seconds` are in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Return the answers per second."""
        return len(self.latencies) / self.seconds

    @property
    def median(self) -> float:
        """Return the latency of the one in the middle."""
        return statistics.median(self.latencies)


class _Lane(asyncio.Protocol):
    """One connection: the next request leaves when the last one is answered."""

    def __init__(self, requests: Iterator[Request], blast: Blast) -> None:
        self._requests = requests
        self._blast = blast
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """Send the first request."""
        self._send_next()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  # for mypy
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(_END_OF_HEAD)
        if not separator or len(rest) < _content_length(head):
            return
        self._buffer = b""
        self._blast.latencies.append(time.perf_counter() - self._sent_at)
        self._blast.statuses[int(head[9:12])] += 1
        self._send_next()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed by the home"))

    def _send_next(self) -> None:
        request = next(self._requests, None)
        if self.done.done():  # Whoever waited has given up.
            return
        if request is None:
            self.done.set_result(None)
        elif self._transport is not None:
            self._sent_at = time.perf_counter()
            self._transport.write(request.data)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def blast(url: str, requests: Sequence[Request], connections: int) -> Blast:
    """Send all requests to a server, each connection one at a time."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    result, waiting = Blast(), iter(requests)
    lanes = [
        (
            await loop.create_connection(
                lambda: _Lane(waiting, result), parts.hostname or "", parts.port or 80
            )
        )[1]
        for _ in range(connections)
    ]
    start = time.perf_counter()
    for lane in lanes:
        lane.start()
    try:
        async with asyncio.timeout(_TIMEOUT):
            await asyncio.gather(*(lane.done for lane in lanes))
    finally:
        for lane in lanes:
            lane.close()
    result.seconds = time.perf_counter() - start
    return result
