"""Misbehave on demand, the way networks and providers do.

Each fault names what goes wrong and which requests it hits. `DROPPED`, `LATE`
and `ACCEPTED_GARBAGE` are the cruel ones: the message *was* accepted, and only
the answer is lost.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from http import HTTPStatus
import re
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .base import AnyProvider


class FaultKind(StrEnum):
    """Name what goes wrong."""

    REFUSED = "refused"  # the connection dies before anything is read
    SLOW = "slow"  # waits `delay` seconds, then serves normally
    RATE_LIMITED = "rate_limited"  # 429 with Retry-After
    SERVER_ERROR = "server_error"  # 500 in the provider's JSON
    BAD_GATEWAY = "bad_gateway"  # 502, an HTML page
    REDIRECT = "redirect"  # 307 to `location`, nothing accepted
    GARBAGE = "garbage"  # 200 with `body`, nothing accepted
    DROPPED = "dropped"  # accepted, then the connection dies
    LATE = "late"  # accepted, answered after `delay` seconds
    ACCEPTED_GARBAGE = "accepted_garbage"  # accepted, answered with `body`


ACCEPTING: Final = frozenset(
    {FaultKind.DROPPED, FaultKind.LATE, FaultKind.ACCEPTED_GARBAGE}
)
HTML: Final = "<html><head><title>502 Bad Gateway</title></head><body></body></html>"


@dataclass(slots=True, kw_only=True)
class Fault:
    """Describe one fault and the requests it hits; `times` None is forever."""

    kind: FaultKind
    provider: str | None = None
    method: str | None = None
    path: str = ""
    times: int | None = None
    recipient: str | None = None
    delay: float = 5.0
    retry_after: int | str | None = 1
    body: str = "null"
    status: int | None = None
    location: str = ""
    hits: int = field(default=0)

    @property
    def spent(self) -> bool:
        """Tell whether it has hit as often as asked."""
        return self.times is not None and self.hits >= self.times

    def concerns(self, provider: str, request: web.Request) -> bool:
        """Tell whether a request's provider, method and path match."""
        return (
            not self.spent
            and self.provider in {None, provider}
            and self.method in {None, request.method}
            and re.search(self.path, request.path_qs) is not None
        )


class Faults:
    """Keep the faults asked for and find the one a request runs into."""

    def __init__(self) -> None:
        """Start without faults."""
        self.active: list[Fault] = []

    def add(  # noqa: PLR0913
        self,
        kind: FaultKind | str,
        *,
        provider: str | None = None,
        method: str | None = None,
        path: str = "",
        times: int | None = None,
        recipient: str | None = None,
        delay: float = 5.0,
        retry_after: int | str | None = 1,
        body: str = "null",
        status: int | None = None,
        location: str = "",
    ) -> Fault:
        """Add a fault; the first one that matches a request wins."""
        fault = Fault(
            kind=FaultKind(kind),
            provider=provider,
            method=method,
            path=path,
            times=times,
            recipient=recipient,
            delay=delay,
            retry_after=retry_after,
            body=body,
            status=status,
            location=location,
        )
        self.active.append(fault)
        return fault

    def clear(self, provider: str | None = None) -> None:
        """Forget all faults, or those of one provider."""
        self.active = [
            fault
            for fault in self.active
            if provider is not None and fault.provider != provider
        ]

    def describe(self) -> list[dict[str, object]]:
        """List the faults for the control pages."""
        return [asdict(fault) for fault in self.active]

    async def take(self, provider: AnyProvider, request: web.Request) -> Fault | None:
        """Return the fault this request runs into, counting the hit."""
        for fault in self.active:
            if not fault.concerns(provider.key, request):
                continue
            if (
                fault.recipient is not None
                and fault.recipient not in await provider.recipients(request)
            ):
                continue
            fault.hits += 1
            return fault
        return None


type Serve = Callable[[], Awaitable[web.StreamResponse]]


async def refuse(  # noqa: PLR0911  # each kind has an answer of its own
    fault: Fault, provider: AnyProvider, request: web.Request, serve: Serve
) -> web.StreamResponse:
    """Answer in the handler's stead, or late; nothing is accepted unless slow."""
    match fault.kind:
        case FaultKind.SLOW:
            await provider.world.wait(fault.delay)
            return await serve()
        case FaultKind.RATE_LIMITED:
            return _rate_limited(fault, provider)
        case FaultKind.SERVER_ERROR:
            return provider.failure(fault.status or 500).response()
        case FaultKind.BAD_GATEWAY:
            return web.Response(status=502, text=HTML, content_type="text/html")
        case FaultKind.REDIRECT:
            headers = {"Location": fault.location}
            return web.Response(status=fault.status or 307, headers=headers)
        case FaultKind.GARBAGE:
            return _garbage(fault, 200)
        case _:
            return hang_up(request)


async def spoil(
    fault: Fault,
    provider: AnyProvider,
    request: web.Request,
    response: web.StreamResponse,
) -> web.StreamResponse:
    """Lose, delay or replace the answer to a request that was obeyed."""
    match fault.kind:
        case FaultKind.LATE:
            await provider.world.wait(fault.delay)
            return response
        # What was refused was not accepted, and says so.
        case FaultKind.ACCEPTED_GARBAGE if response.status >= HTTPStatus.BAD_REQUEST:
            return response
        case FaultKind.ACCEPTED_GARBAGE:
            return _garbage(fault, response.status)
        case _:
            return hang_up(request)


def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _rate_limited(fault: Fault, provider: AnyProvider) -> web.Response:
    response = provider.failure(429).response()
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    return response


def _garbage(fault: Fault, status: int) -> web.Response:
    return web.Response(
        status=fault.status or status,
        text=fault.body,
        content_type="application/json",
    )
