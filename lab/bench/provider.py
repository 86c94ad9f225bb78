"""Both providers, for a benchmark: the simulator with a fast lane for sends.

The simulator follows each message through its life, which costs more than sending it.
Here a send is counted and answered. `POST /_bench` sets the `delay` before an answer,
has `missed` messages come in of which no callback tells, and returns what was counted;
whatever else is asked, the simulator answers.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import TYPE_CHECKING, Final, override

from aiohttp import web

from simulator import Simulator
from simulator.__main__ import serve
from simulator.world import now

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

# A home reads back a quarter of an hour; what came after its start, it wonders about.
_AGO: Final = timedelta(minutes=1)
_EVERY: Final = timedelta(milliseconds=500)


class BenchProvider(Simulator):
    """Answer a send at once, or after `delay` seconds, and count it."""

    delay = 0.0
    sends = 0
    pages: Counter[str]
    """How many pages of messages were read, by the size that was asked for."""
    _ids = count(10**9)

    @override
    def build(self) -> web.Application:
        """Stand before the simulator."""
        self.pages = Counter()
        app = super().build()
        app.middlewares.insert(0, self._fast_lane())
        return app

    def _fast_lane(self) -> Middleware:
        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path == "/_bench":
                return await self._control(request)
            if self.delay:
                await asyncio.sleep(self.delay)
            return await self._take(request) or await handler(request)

        return answer

    async def _take(self, request: web.Request) -> web.Response | None:
        """Take a message, or leave it to the simulator if it is none."""
        if request.method != "POST":
            if request.path.endswith("/Messages.json"):
                self.pages[request.query.get("PageSize", "")] += 1
            return None
        if request.path.endswith("/Messages.json"):
            form = dict(await request.post())
            payload = _twilio(self.twilio.ACCOUNT_SID, form, next(self._ids))
        elif request.path.endswith("/jobs"):
            payload = _ovh(await request.json(), next(self._ids))
        else:
            return None
        self.sends += 1
        return web.json_response(payload, status=201 if "sid" in payload else 200)

    async def _control(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.delay = wish.get("delay", self.delay)
        if missed := wish.get("missed"):
            self.twilio.log.clear()
            self.twilio.history(missed, newest=now() - _AGO, every=_EVERY)
        return web.json_response({"sends": self.sends, "pages": self.pages})


def _twilio(account: str, form: Mapping[str, object], number: int) -> dict[str, object]:
    """Describe a message as Twilio does, with every field of its schema."""
    created = format_datetime(datetime.now(UTC))
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": form["Body"],
        "date_created": created,
        "date_sent": None,
        "date_updated": created,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": form["From"],
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": f"SM{number:032x}",
        "status": "queued",
        "subresource_uris": {},
        "to": form["To"],
        "uri": "",
    }


def _ovh(job: Mapping[str, object], number: int) -> dict[str, object]:
    """Describe a sending report as OVHcloud does."""
    return {
        "ids": [number],
        "invalidReceivers": [],
        "tag": job.get("tag"),
        "totalCreditsRemoved": 1.0,
        "validReceivers": job["receivers"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(BenchProvider(port=parser.parse_args().port)))
