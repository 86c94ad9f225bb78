"""Requests that the SDK has signed, over the session of Home Assistant."""

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, Final

from aiohttp import ClientError, ClientTimeout
from yarl import URL

from ..errors import ProviderUnavailableError
from ..websession import unavailable
from .client import Request, build, sign
from .errors import (
    CLOCK_ERRORS,
    RefusedError,
    Reply,
    error_word,
    not_sent_for_want_of_time,
)
from .values import as_integer

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

    from ..base import RunBlocking
    from .client import Access, Client, SignedRequest

TIME: Final = Request(path="/auth/time", signed=False)

_OK: Final = range(200, 300)
_TIMEOUT: Final = ClientTimeout(connect=5.0, sock_read=10.0, total=15.0)
"""Seconds; what `_call` grants in all ends earlier where two requests are needed."""
_TIME_TIMEOUT: Final = 10.0
"""Seconds to learn the time: less than a call has, so that it ends before the call."""


class Exchange:
    """One client of the SDK, and the difference between two clocks.

    A signature holds the time at OVHcloud. It is asked for once, by whoever needs
    it first, and counted on from there, which goes wrong when this machine's clock
    is set: then it is asked for again.
    """

    def __init__(
        self,
        session: ClientSession,
        access: Access,
        run_blocking: RunBlocking,
        note_date: Callable[[str | None], None],
    ) -> None:
        """Borrow the caller's session; every answer's `Date` is passed on."""
        self._session = session
        self._access = access
        self._run_blocking = run_blocking
        self._note_date = note_date
        self._loading = asyncio.Lock()
        self._client: Client | None = None
        self._asking_time = asyncio.Lock()
        self._time_delta: int | None = None

    async def load(self) -> Client:
        """Import the SDK and build its client in the executor, once."""
        async with self._loading:
            if self._client is None:
                self._client = await self._run_blocking(build, self._access)
            return self._client

    async def ask(self, request: Request) -> Any:
        """Ask, a second time where the first was signed at a time long known."""
        if not request.signed:
            return await self._ask(request, 0)
        known = self._time_delta
        try:
            return await self._ask(request, await self._learn_time())
        except RefusedError as err:
            if known is None or error_word(err.reply) not in CLOCK_ERRORS:
                raise
        if self._time_delta == known:
            self._time_delta = None
        return await self._ask(request, await self._learn_time())

    async def _learn_time(self) -> int:
        """Return how far OVHcloud's clock is ahead.

        Whatever goes wrong in here, what the time is needed for has not been sent.
        """
        try:
            async with asyncio.timeout(_TIME_TIMEOUT), self._asking_time:
                if self._time_delta is None:
                    time_there = as_integer(await self._ask(TIME, 0))
                    self._time_delta = time_there - int(time.time())
                return self._time_delta
        except TimeoutError as err:
            raise ProviderUnavailableError("no time", maybe_processed=False) from err
        except Exception as err:
            raise not_sent_for_want_of_time(err) from err

    async def _ask(self, request: Request, time_delta: int) -> Any:
        signed = sign(await self.load(), request, time_delta)
        reply = await self._send(signed, request.path)
        self._note_date(reply.headers.get("Date"))
        if reply.status not in _OK:
            raise RefusedError(reply)
        return json.loads(reply.content or b"null")

    async def _send(self, signed: SignedRequest, path: str) -> Reply:
        """Send once, follow no redirect, and read the answer whatever it is."""
        try:
            async with self._session.request(
                signed.method,
                _address(signed.url),
                data=signed.body.encode() or None,
                headers=signed.headers,
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                return Reply(
                    method=signed.method,
                    path=path,
                    status=response.status,
                    headers=response.headers,
                    content=await response.read(),
                )
        except (ClientError, OSError) as err:
            raise unavailable(err) from None


def _address(url: str) -> URL:
    """Read a URL as it stands: one that is written otherwise has another signature."""
    try:
        return URL(url, encoded=True)
    except ValueError:
        raise ProviderUnavailableError("no URL", maybe_processed=False) from None
