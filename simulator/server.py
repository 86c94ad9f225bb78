"""Run all providers, the control routes and the handset on one port."""

import asyncio
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final, Self

from aiohttp import web

from . import control, faults, handset
from .base import AnyProvider, ApiError, Message, Route
from .state import State
from .world import RequestRecord, now

if TYPE_CHECKING:
    from types import TracebackType

    from aiohttp.typedefs import Handler as WebHandler, Middleware

ACCEPTED: Final = web.RequestKey("accepted", tuple[Message, ...])
LOCALHOST: Final = "127.0.0.1"


class Simulator(State):
    """Play all providers on localhost; an asynchronous context manager."""

    def __init__(self, *, port: int = 0, host: str = LOCALHOST) -> None:
        """Prepare a simulator; port 0 takes a free one."""
        super().__init__()
        self.host, self.port = host, port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        """Start serving in the running loop."""
        self.closing.clear()
        # Slow answers must not hold up the end of a test.
        runner = web.AppRunner(self.build(), access_log=None, shutdown_timeout=0.1)
        self._runner = runner
        await runner.setup()
        await web.TCPSite(runner, self.host, self.port).start()
        self.port = runner.addresses[0][1]
        # Whoever listens everywhere is still reached on localhost.
        host = LOCALHOST if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        self.url = f"http://{host}:{self.port}"
        self.poster.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving and end every task."""
        self.closing.set()
        self.clock_offset = 0
        await self.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.cancel()
        await self.poster.close()

    def build(self) -> web.Application:
        """Build the web application."""
        app = web.Application(middlewares=[self._middleware()])
        for provider in self.providers.values():
            for route in provider.routes():
                app.router.add_route(
                    route.method, route.path, self._serve(provider, route)
                )
        control.add_routes(app, self)
        handset.add_routes(app)
        return app

    def _serve(self, provider: AnyProvider, route: Route) -> WebHandler:
        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                if not route.open:
                    await provider.authorize(request)
                reply = await route.handler(request)
            except ApiError as err:
                reply = err.reply
            request[ACCEPTED] = reply.accepted
            return reply.response()

        return serve

    def _middleware(self) -> Middleware:
        @web.middleware
        async def watch(
            request: web.Request, handler: WebHandler
        ) -> web.StreamResponse:
            for provider in self.providers.values():
                if provider.owns(request.path):
                    return await self._watched(provider, request, handler)
            return await handler(request)

        return watch

    async def _watched(
        self, provider: AnyProvider, request: web.Request, handler: WebHandler
    ) -> web.StreamResponse:
        record = RequestRecord(
            provider=provider.key,
            method=request.method,
            path=request.path,
            query=dict(request.query),
            time=now(),
        )
        self.requests.append(record)
        fault = await self.faults.take(provider, request)
        record.fault = None if fault is None else str(fault.kind)

        async def serve() -> web.StreamResponse:
            return await _in_words_of(provider, request, handler)

        answered = asyncio.Event()
        if fault is None or fault.kind in faults.ACCEPTING:
            response = await serve()
        else:
            response = await faults.refuse(fault, provider, request, serve)
        provider.add_request_id(response)
        date = self.date_header
        response.headers["Date"] = (
            format_datetime(now(), usegmt=True) if date is None else date
        )
        # Started before the answer leaves, so that `settled` knows of them.
        for message in request.get(ACCEPTED, ()):
            provider.start(message, answered)
        if fault is not None and fault.kind in faults.ACCEPTING:
            # It was accepted: the message leaves while its answer is lost.
            answered.set()
            response = await faults.spoil(fault, provider, request, response)
        record.status = None if _hung_up(request) else response.status
        await _finish(request, response, answered)
        return response


def _hung_up(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _finish(
    request: web.Request, response: web.StreamResponse, answered: asyncio.Event
) -> None:
    """Send the answer before the first callback, as a distant provider would."""
    try:
        if not _hung_up(request):
            await response.prepare(request)
            await response.write_eof()
    finally:
        answered.set()


async def _in_words_of(
    provider: AnyProvider, request: web.Request, handler: WebHandler
) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as err:
        return provider.failure(err.status).response()
