"""Let a flood in a few at a time, so that the rest of the home goes on between them."""

import asyncio
from collections import deque


class FloodGate:
    """A gate that is open until it has counted a few forgeries.

    Then whoever comes waits, and a few are let in each time that the event loop has gone
    round. It costs nothing while nobody forges, and no more than one wait when somebody
    does.
    """

    def __init__(self, at_once: int) -> None:
        """Take how many may follow each other."""
        self._at_once = at_once
        self._forgeries = 0
        self._is_closed = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait for a turn, in the order in which all came."""
        if self._is_closed:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    def count_forgery(self) -> None:
        """Count one, and close the gate for a moment after every few of them."""
        self._forgeries += 1
        if self._forgeries % self._at_once == 0 and not self._is_closed:
            self._is_closed = True
            asyncio.get_running_loop().call_soon(self._let_in)

    def _let_in(self) -> None:
        """Let a few in, and open the gate once nobody waits any more."""
        for _ in range(min(self._at_once, len(self._waiting))):
            turn = self._waiting.popleft()
            # Who waited may have hung up.
            if not turn.done():
                turn.set_result(None)
        self._is_closed = bool(self._waiting)
        if self._is_closed:
            asyncio.get_running_loop().call_soon(self._let_in)
