"""Speak Home Assistant's websocket: commands out, answers and events in."""

import asyncio
from collections.abc import Callable
import contextlib
from itertools import count
from typing import Any, Self

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

type Json = dict[str, Any]

_ANSWER_TIMEOUT = 60.0


class Socket:
    """An authenticated connection that hears every event."""

    def __init__(
        self, connection: ClientWebSocketResponse, hear: Callable[[Json], None]
    ) -> None:
        """Take an open connection, and whom to give events."""
        self._connection = connection
        self._hear = hear
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._listener: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls, session: ClientSession, url: str, token: str, hear: Callable[[Json], None]
    ) -> Self:
        """Open a connection, prove the token, subscribe to all events."""
        connection = await session.ws_connect(f"{url}/api/websocket", max_msg_size=0)
        await connection.receive_json()
        await connection.send_json({"type": "auth", "access_token": token})
        greeting = await connection.receive_json()
        if greeting["type"] != "auth_ok":
            raise ConnectionError(greeting["type"])
        socket = cls(connection, hear)
        socket._listener = asyncio.create_task(socket._listen())
        await socket.command({"type": "subscribe_events"})
        return socket

    async def command(self, message: Json) -> Json:
        """Send a command and return its answer."""
        number = next(self._ids)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._connection.send_json({"id": number, **message})
            async with asyncio.timeout(_ANSWER_TIMEOUT):
                return await answer
        finally:
            # An answer that comes later is nobody's.
            del self._answers[number]

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener

    async def _listen(self) -> None:
        try:
            await self._hear_all()
        finally:
            # Nobody may wait for what a process that has ended will never say.
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionResetError("the home has ended"))

    async def _hear_all(self) -> None:
        async for message in self._connection:
            if message.type is not WSMsgType.TEXT:
                continue
            data = message.json()
            match data["type"]:
                case "event":
                    self._hear(data["event"])
                case "result" if answer := self._answers.get(data["id"]):
                    _give(answer, data)


def _give(answer: asyncio.Future[Json], data: Json) -> None:
    # Who waited for it may have given up, and not yet have left.
    if not answer.done():
        answer.set_result(data)
