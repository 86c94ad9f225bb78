"""Bring a provider's callbacks from Home Assistant's web server to the gateway.

Home Assistant answers 200 when a handler raises, and a provider then believes
that its message arrived. So nothing is raised here: what was not taken in is
answered as such.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..accounts import async_get_account
from ..adapters.errors import CallbackUnreadableError
from ..adapters.models import Acknowledgement, CallbackRequest
from ..core.gateway import Gateway
from ..core.line import Line
from ..issues import describe
from ..runtime import VirtualSmsConfigEntry
from .hang_up import async_hang_up
from .reachability_check import async_answer_challenge, async_awaits_challenge
from .rejections import (
    STATUSES,
    BusyError,
    CutOffError,
    LateQuestion,
    Refusal,
    Refusals,
    RefusalWatch,
    UnsignedError,
)
from .resting import async_answer_at_rest, async_answer_at_work

BODY_LIMIT = 64 * 1024
"""More than any provider sends: Twilio itself gives up at 64 kB."""
BODY_TIMEOUT = 10.0
MOST_IN_HAND = 64
"""Callbacks that are checked and taken in at a time."""
MOST_WAITING = 256
TURN_TIMEOUT = 5.0
"""How long a callback waits for its turn: a provider waits for longer."""
MOST_READ = 256
"""Bodies that are read at a time: what a flood may cost in memory."""


class CallbackHandler:
    """The webhook of one number."""

    def __init__(
        self,
        line: Line,
        receive: Callable[[CallbackRequest], Awaitable[Acknowledgement]],
        refusals: Refusals,
        answers: Counter[int],
    ) -> None:
        """Take who receives, who sees to what is refused, and where to count."""
        self._line = line
        self._receive = receive
        self._refusals = refusals
        self._answers = answers
        self._turns = asyncio.Semaphore(MOST_IN_HAND)
        self._waiting = 0
        self._reader = BodyReader()

    async def async_handle(
        self, hass: HomeAssistant, webhook_id: str, request: web.Request
    ) -> web.Response:
        """Answer a callback as the provider needs to hear it."""
        try:
            response = await self._async_answer(hass, webhook_id, request)
        except Exception as err:  # noqa: BLE001  # _refuse logs what is our fault
            response = self._refuse(err)
        await async_hang_up(request, response)
        self._answers[response.status] += 1
        return response

    async def _async_answer(
        self, hass: HomeAssistant, webhook_id: str, request: web.Request
    ) -> web.Response:
        # A challenge of our own, which tests whether calls arrive, has none.
        if self._lacks_signature(request) and not async_awaits_challenge(
            hass, webhook_id
        ):
            raise UnsignedError("no signature")
        callback_request, cut_off = await self._async_read(request)
        if challenge := async_answer_challenge(hass, webhook_id, callback_request):
            return challenge
        if cut_off:
            raise CutOffError(cut_off)
        answer = await self._async_take_turn(callback_request)
        self._refusals.async_end()
        return web.Response(
            status=answer.status,
            text=answer.body or None,
            content_type=answer.content_type if answer.body else None,
        )

    async def _async_take_turn(self, request: CallbackRequest) -> Acknowledgement:
        """Wait for a turn, not for long, so that a burst costs nobody a callback."""
        if self._turns.locked():
            await self._async_wait_for_turn()
        else:
            await self._turns.acquire()
        try:
            return await self._receive(request)
        finally:
            self._turns.release()

    async def _async_wait_for_turn(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            async with asyncio.timeout(TURN_TIMEOUT):
                await self._turns.acquire()
        except TimeoutError as err:
            raise BusyError from err
        finally:
            self._waiting -= 1

    def _refuse(self, err: Exception) -> web.Response:
        refusal = self._refusals.async_note(err)
        if isinstance(err, CutOffError) and self._signature_header:
            # No signature fits what is cut off.
            return web.Response(status=HTTPStatus.FORBIDDEN)
        return web.Response(status=STATUSES[refusal])

    @property
    def _signature_header(self) -> str | None:
        return self._line.adapter.signature_header

    def _lacks_signature(self, request: web.Request) -> bool:
        """Say whether a request cannot be authentic, before its body costs anything."""
        header = self._signature_header
        return header is not None and header not in request.headers

    async def _async_read(
        self, request: web.Request
    ) -> tuple[CallbackRequest, Refusal | None]:
        body, cut_off = await self._reader.read(request)
        callback_request = CallbackRequest(
            method=request.method,
            url=_with_query(self._line.callback_url or "", request),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            truncated=cut_off is not None,
        )
        return callback_request, cut_off


class BodyReader:
    """Reads the bodies of one webhook: no more of each than any provider sends.

    Where too many come at a time, the one that has been coming for longest is given
    up: that is never a provider's.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._readings: deque[asyncio.Timeout] = deque()

    async def read(self, request: web.Request) -> tuple[bytes, Refusal | None]:
        """Return a body, and why it was cut off if it was."""
        if _is_here(request):
            body = await _async_read_stream(request)
            return (b"", Refusal.TOO_LONG) if len(body) > BODY_LIMIT else (body, None)
        self._make_room()
        limit = asyncio.timeout(BODY_TIMEOUT)
        try:
            async with limit:
                self._readings.append(limit)
                body = await _async_read_stream(request)
        except TimeoutError:
            return b"", Refusal.TOO_SLOW
        finally:
            if limit in self._readings:
                self._readings.remove(limit)
        if len(body) > BODY_LIMIT:
            return b"", Refusal.TOO_LONG
        return body, None

    def _make_room(self) -> None:
        if len(self._readings) < MOST_READ:
            return
        oldest = self._readings.popleft()
        # One whose time is up ends by itself, and cannot be told to.
        if not oldest.expired():
            oldest.reschedule(asyncio.get_running_loop().time())


@callback
def async_register(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, gateway: Gateway
) -> CALLBACK_TYPE:
    """Open the webhook of a number to the internet, and return how to close it."""
    placeholders = describe(entry)
    runtime = entry.runtime_data

    def accepted() -> None:
        registrar = runtime.registrar
        registrar.health.async_note_accepted(registrar.time_there)
        runtime.retired_secrets.async_clear()

    watch = RefusalWatch(
        hass,
        f"callbacks_rejected_{entry.entry_id}",
        placeholders,
        accepted,
    )
    account = async_get_account(hass, entry)
    question = LateQuestion(hass, account)
    refusals = Refusals(watch, question, runtime.refusals)

    async def receive(request: CallbackRequest) -> Acknowledgement:
        return await account.receive(gateway, request)

    handler = CallbackHandler(gateway.line, receive, refusals, runtime.answers)
    async_answer_at_work(hass, entry, handler.async_handle)

    def close() -> None:
        async_answer_at_rest(hass, entry)
        watch.async_clear()
        question.async_cancel()

    return close


async def _async_read_stream(request: web.Request) -> bytes:
    """Read a body up to a little more than its limit; the web server inflates it."""
    # A request that came through the cloud makes a new stream at each access.
    stream, body = request.content, b""
    try:
        while len(body) <= BODY_LIMIT and (
            chunk := await stream.read(BODY_LIMIT + 1 - len(body))
        ):
            body += chunk
    except Exception as err:
        # Its encodings are many, and so is what a stranger's body makes them raise.
        raise CallbackUnreadableError("a body that cannot be read") from err
    return body


def _is_here(request: web.Request) -> bool:
    """Say whether all of a body has arrived, so that to read it is no wait."""
    # A request that came through the cloud has no connection of its own.
    return getattr(request, "protocol", None) is not None and request.content.is_eof()


def _with_query(url: str, request: web.Request) -> str:
    """Add the query that arrived, as it was sent, to the URL that was registered."""
    # A request that came through the cloud has no URL of its own.
    rel_url = getattr(request, "rel_url", None)
    query = request.query_string if rel_url is None else rel_url.raw_query_string
    base = url.partition("#")[0].partition("?")[0]
    return f"{base}?{query}" if query else base
