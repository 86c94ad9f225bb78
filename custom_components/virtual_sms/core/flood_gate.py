"""Let a flood in one by one, so that the rest of the home goes on between them."""

import asyncio
from collections import deque


class FloodGate:
    """A gate that closes after a forgery, until the event loop has gone round.

    Who comes meanwhile waits, and each round lets one in. It costs nothing while nobody
    forges.
    """

    def __init__(self) -> None:
        """Begin open."""
        self._is_closed = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait for a turn, in the order in which all came."""
        if self._is_closed:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    def note_forgery(self) -> None:
        """Close the gate for a moment."""
        if not self._is_closed:
            self._close()

    def _close(self) -> None:
        self._is_closed = True
        asyncio.get_running_loop().call_soon(self._let_in)

    def _let_in(self) -> None:
        """Let one in, or open the gate if nobody waits."""
        self._is_closed = False
        if self._waiting:
            turn = self._waiting.popleft()
            # Who waited may have hung up.
            if not turn.done():
                turn.set_result(None)
            self._close()
