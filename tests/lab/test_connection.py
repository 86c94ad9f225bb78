"""A connection to a home answers each of its callers, whoever else gave up."""

import asyncio
from collections.abc import AsyncIterator
import json
from types import SimpleNamespace
from typing import Any

from aiohttp import WSMsgType
import pytest

from lab.connection import Socket


class Line:
    """The other end of a websocket, which says what it is told to say."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self._said: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def send_json(self, message: dict[str, Any]) -> None:
        """Take a command."""
        self.sent.append(message)

    def say(self, message: dict[str, Any] | None) -> None:
        """Send something, or nothing any more."""
        self._said.put_nowait(message)

    async def __aiter__(self) -> AsyncIterator[SimpleNamespace]:
        while (message := await self._said.get()) is not None:
            text = json.dumps(message)
            yield SimpleNamespace(
                type=WSMsgType.TEXT, json=lambda text=text: json.loads(text)
            )


async def ask(socket: Socket, kind: str) -> asyncio.Task[dict[str, Any]]:
    """Send a command without waiting for its answer."""
    asking = asyncio.create_task(socket.command({"type": kind}))
    await asyncio.sleep(0)
    return asking


@pytest.mark.parametrize("has_left", [False, True])
async def test_an_answer_that_comes_too_late_harms_no_other(has_left: bool) -> None:
    """Its caller gave up a while ago, or at that moment."""
    line = Line()
    socket = Socket(line, lambda _: None)  # type: ignore[arg-type]  # as far as used
    listening = asyncio.create_task(socket._listen())
    late = await ask(socket, "late")
    late.cancel()
    if has_left:
        await asyncio.wait([late])
    line.say({"type": "result", "id": 1})
    other = await ask(socket, "other")
    line.say({"type": "result", "id": 2, "result": "mine"})
    assert (await asyncio.wait_for(other, 5))["result"] == "mine"
    assert not socket._answers
    line.say(None)
    await listening


async def test_a_home_that_ends_leaves_nobody_waiting() -> None:
    """Who waits for an answer hears that none will come."""
    line = Line()
    socket = Socket(line, lambda _: None)  # type: ignore[arg-type]  # as far as used
    listening = asyncio.create_task(socket._listen())
    asking = await ask(socket, "anything")
    line.say(None)
    await listening
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(asking, 5)
