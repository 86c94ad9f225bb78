"""Both providers, for a benchmark: the simulator with a fast lane for sends.

The simulator follows each message through its life, which costs more than sending it.
Here a send is noted and answered; whatever else is asked, the simulator answers.
"""

import asyncio
from datetime import timedelta
from functools import partial
from itertools import count
import time
from typing import TYPE_CHECKING, Final, override
from uuid import uuid4

from aiohttp import web

from simulator import Simulator
from simulator.world import now

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

# A home reads back a quarter of an hour; what came after its start, it wonders about.
_AGO: Final = timedelta(minutes=1)
_EVERY: Final = timedelta(milliseconds=50)
_SENDS: Final = ("/Messages.json", "/jobs")
_ACCEPTED: Final = {
    "status": "queued",
    "num_segments": "1",
    "invalidReceivers": [],
    "validReceivers": ["+33612345678"],
    "totalCreditsRemoved": 1.0,
}


class BenchProvider(Simulator):
    """Answer a send at once, or after `delay` seconds, and note when that was."""

    delay = 0.0
    pages_read = 0
    _ids = count(10**9)

    @override
    def build(self) -> web.Application:
        """Stand before the simulator."""
        self.arrived: list[float] = []
        """By the clock that all processes of a machine share."""
        self.taken: list[float] = []
        """When each was answered."""
        app = super().build()
        app.middlewares.insert(0, web.middleware(partial(self._answer)))
        return app

    def receive_unseen(self, amount: int) -> list[str]:
        """Have only so many messages in the record, of which no callback tells."""
        self.twilio.log.clear()
        return self.twilio.history(amount, newest=now() - _AGO, every=_EVERY)

    async def _answer(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        began = time.monotonic()
        if self.delay:
            await asyncio.sleep(self.delay)
        if not request.path.endswith(_SENDS):
            return await handler(request)
        if request.method != "POST":
            self.pages_read += 1
            return await handler(request)
        self.arrived.append(began)
        await request.read()
        # Each provider reads what it knows.
        named = {"sid": f"SM{uuid4().hex}", "ids": [next(self._ids)]}
        self.taken.append(time.monotonic())
        return web.json_response(_ACCEPTED | named, status=201)
