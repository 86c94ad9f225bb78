"""Send many HTTP requests over a few connections, at little cost of our own."""

import asyncio
from collections.abc import Mapping, Sequence
import re
from typing import Final
from urllib.parse import urlsplit

_TIMEOUT: Final = 60.0
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Write the POST of a form out, ready to go."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def blast(url: str, requests: Sequence[bytes], connections: int) -> list[int]:
    """Send all requests, each connection one at a time; return how each was answered."""
    parts, waiting = urlsplit(url), iter(requests)

    async def run() -> list[int]:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            return [await _ask(reader, writer, request) for request in waiting]
        finally:
            writer.close()

    async with asyncio.timeout(_TIMEOUT), asyncio.TaskGroup() as group:
        lanes = [group.create_task(run()) for _ in range(connections)]
    return [status for lane in lanes for status in lane.result()]


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if length := _LENGTH.search(head):
        await reader.readexactly(int(length[1]))
    return int(head[9:12])
