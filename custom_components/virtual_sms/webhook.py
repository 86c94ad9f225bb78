"""Bring a provider's callbacks from Home Assistant's web server to the gateway.

Home Assistant answers 200 when a handler raises, and a provider then believes
that its message arrived. So nothing is raised here: what was not taken in is
answered as such.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
import logging

from aiohttp import web
from homeassistant.components import webhook
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .adapters.errors import CallbackRejectedError, CallbackUnreadableError
from .adapters.models import Acknowledgement, CallbackRequest
from .const import DOMAIN
from .gateway import Gateway, LineAwayError, NoSuchLineError
from .issues import describe
from .refusals import RefusalWatch
from .return_path import async_answer_challenge, async_awaits_challenge
from .runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

METHODS = ("GET", "POST")
BODY_LIMIT = 64 * 1024
"""More than any provider sends: Twilio itself gives up at 64 kB."""
BODY_TIMEOUT = 10.0
MOST_IN_HAND = 64
"""Callbacks that are checked and taken in at a time."""
MOST_READ = 256
"""Bodies that are read at a time: what a flood may cost in memory."""


class _BusyError(Exception):
    """So many callbacks are being taken in that another one has to wait."""


class CallbackHandler:
    """The webhook of one number."""

    def __init__(
        self,
        gateway: Gateway,
        watch: RefusalWatch,
        answers: Counter[int],
        answer_challenge: Callable[[CallbackRequest], web.Response | None],
        awaits_challenge: Callable[[], bool],
    ) -> None:
        """Take who receives, who watches what becomes of it, and where to count.

        A challenge of our own, which tests the way here, concerns none of them.
        """
        self._awaits_challenge = awaits_challenge
        self._gateway = gateway
        self._answer_challenge = answer_challenge
        self._watch = watch
        self._answers = answers
        self._in_hand = 0
        self._readings: deque[asyncio.Timeout] = deque()
        self._logged: set[type[Exception]] = set()

    async def async_handle(
        self, hass: HomeAssistant, webhook_id: str, request: web.Request
    ) -> web.Response:
        """Answer a callback as the provider needs to hear it."""
        response = await self._async_answer(request)
        await _async_hang_up(request, response)
        self._answers[response.status] += 1
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self._gateway.ask_later()
        return response

    async def _async_answer(self, request: web.Request) -> web.Response:
        try:
            self._refuse_unsigned(request)
            callback_request = await self._async_read(request)
            if challenge := self._answer_challenge(callback_request):
                return challenge
            answer = await self._async_take_turn(callback_request)
        except CallbackRejectedError as err:
            self._watch.async_refused(err)
            return web.Response(status=HTTPStatus.FORBIDDEN)
        except CallbackUnreadableError as err:
            self._note_unreadable(err)
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        except LineAwayError, _BusyError:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception as err:
            if self._is_new(err):
                _LOGGER.exception("A callback could not be taken in")
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        self._logged.clear()
        self._watch.async_accepted()
        return web.Response(
            status=answer.status,
            text=answer.body or None,
            content_type=answer.content_type if answer.body else None,
        )

    async def _async_take_turn(self, request: CallbackRequest) -> Acknowledgement:
        if self._in_hand >= MOST_IN_HAND:
            raise _BusyError
        self._in_hand += 1
        try:
            return await self._gateway.receive(request)
        finally:
            self._in_hand -= 1

    def _refuse_unsigned(self, request: web.Request) -> None:
        """Refuse what cannot be authentic before its body costs anything."""
        header = self._gateway.line.adapter.signature_header
        if header and header not in request.headers and not self._awaits_challenge():
            raise CallbackRejectedError("no signature")

    def _note_unreadable(self, err: CallbackUnreadableError) -> None:
        if isinstance(err, NoSuchLineError) and self._is_new(err):
            _LOGGER.warning("A message came for a number that is not of this home")

    def _is_new(self, err: Exception) -> bool:
        """Say whether a kind of trouble came for the first time since all was well."""
        is_new = type(err) not in self._logged
        self._logged.add(type(err))
        return is_new

    async def _async_read(self, request: web.Request) -> CallbackRequest:
        body, truncated = await self._async_read_body(request)
        return CallbackRequest(
            method=request.method,
            url=_with_query(self._gateway.line.callback_url or "", request),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            truncated=truncated,
        )

    async def _async_read_body(self, request: web.Request) -> tuple[bytes, bool]:
        """Read no more of a body than any provider sends, and not for long.

        A body that does not come in time counts as cut off. Where too many come at
        a time, the one that has been coming for longest is given up.
        """
        if len(self._readings) >= MOST_READ:
            self._readings.popleft().reschedule(asyncio.get_running_loop().time())
        limit = asyncio.timeout(BODY_TIMEOUT)
        try:
            async with limit:
                self._readings.append(limit)
                return await _async_read_stream(request)
        except TimeoutError:
            return b"", True
        finally:
            if limit in self._readings:
                self._readings.remove(limit)


@callback
def async_register(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, gateway: Gateway
) -> CALLBACK_TYPE:
    """Open the webhook of a number to the internet, and return how to close it."""
    placeholders = describe(entry)
    runtime = entry.runtime_data

    def accepted() -> None:
        runtime.registrar.async_note_accepted()
        runtime.retired_secrets.async_clear()

    watch = RefusalWatch(
        hass,
        f"callbacks_rejected_{entry.entry_id}",
        placeholders,
        accepted,
    )
    webhook_id = entry.data[CONF_WEBHOOK_ID]
    handler = CallbackHandler(
        gateway,
        watch,
        runtime.answers,
        partial(async_answer_challenge, hass, webhook_id),
        partial(async_awaits_challenge, hass, webhook_id),
    ).async_handle
    webhook.async_register(
        hass, DOMAIN, entry.title, webhook_id, handler, allowed_methods=METHODS
    )

    def close() -> None:
        webhook.async_unregister(hass, webhook_id)
        watch.async_clear()

    return close


async def _async_read_stream(request: web.Request) -> tuple[bytes, bool]:
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
    return body[:BODY_LIMIT], len(body) > BODY_LIMIT


async def _async_hang_up(request: web.Request, response: web.Response) -> None:
    """Send the answer and close, where a body was left unread or cannot be read.

    The web server would read the rest, and log what a stranger's body makes it raise.
    """
    # A request that came through the cloud has no connection of its own.
    protocol = getattr(request, "protocol", None)
    if protocol is None or _is_read(request):
        return
    response.force_close()
    await response.prepare(request)
    await response.write_eof()
    protocol.force_close()


def _is_read(request: web.Request) -> bool:
    return request.content.is_eof() and request.content.exception() is None


def _with_query(url: str, request: web.Request) -> str:
    """Add the query that arrived, as it was sent, to the URL that was registered."""
    # A request that came through the cloud has no URL of its own.
    rel_url = getattr(request, "rel_url", None)
    query = request.query_string if rel_url is None else rel_url.raw_query_string
    base = url.partition("#")[0].partition("?")[0]
    return f"{base}?{query}" if query else base
