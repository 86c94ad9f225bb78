"""OVHcloud's SDK, kept to what it was told.

The SDK is `requests` underneath: it blocks, it has one session per client and no
lock around it. Left to itself it also reads /etc/ovh.conf, ~/.ovh.conf,
./ovh.conf and OVH_* from the environment, and what it finds there can redirect
it or make it refuse to start (ovh 1.2.0, `client.py` and `config.py`).

Of the SDK's calls this uses `raw_call`, which signs. The one above it, `call`,
hides the status of an answer that is no JSON, drops Retry-After, and trips over
an error that is no object.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
import json
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode

from ..errors import ProviderUnavailableError
from .errors import CLOCK_ERRORS, RefusedError, error_word

if TYPE_CHECKING:
    from ..base import RunBlocking

BATCH: Final = {"X-Ovh-Batch": ","}
"""Makes the last part of a path a list (ovh/manager asks so for 50 at a time)."""

_OK: Final = range(200, 300)
_TIMEOUT: Final = (5.0, 10.0)
"""Seconds to connect in and to wait for an answer: what `_call` grants in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to the API; only who asks for a key need not sign."""

    path: str
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Whom a client speaks for, and where."""

    origin: str | None
    application_key: str = field(repr=False)
    application_secret: str = field(repr=False)
    consumer_key: str = field(repr=False)


class _Client(Protocol):
    """What is used of `ovh.Client`."""

    _session: Any

    def raw_call(
        self,
        method: str,
        path: str,
        *,
        data: object,
        need_auth: bool,
        headers: dict[str, str],
    ) -> Any:
        """Sign and send a request, and return what `requests` returns."""


def load() -> tuple[type[Any], dict[str, str]]:
    """Import the SDK; return its client and the table of its endpoints.

    An OAuth2 client in the environment beside application keys makes the
    constructor refuse both, and nothing that can be passed says "none": whence
    the properties, which forget what they are given.
    """
    import ovh.client

    unset = property(lambda _: None, lambda _, __: None)
    names = {"_client_id": unset, "_client_secret": unset}
    return type("Client", (ovh.client.Client,), names), ovh.client.ENDPOINTS


type NoteDate = Callable[[str | None], None]


def build(access: Access, note_date: NoteDate = lambda _: None) -> _Client:
    """Build a client whose every setting is given; each answer's `Date` is passed on.

    An endpoint of our own, named by its URL, is one no configuration file knows.
    """
    make, endpoints = load()
    url = f"{access.origin}/1.0" if access.origin else endpoints["ovh-eu"]
    endpoints[url] = url
    client: _Client = make(
        url,
        access.application_key,
        access.application_secret,
        access.consumer_key,
        timeout=_TIMEOUT,
    )
    # `requests` would follow, and hand the keys to wherever it is sent.
    session = client._session  # noqa: SLF001  # no argument for either
    session.max_redirects = 0
    session.hooks["response"].append(
        lambda response, **_: note_date(response.headers.get("Date"))
    )
    return client


class _Line:
    """One client, for one call at a time, in whichever thread."""

    def __init__(self, connect: Callable[[], _Client]) -> None:
        self._connect = connect
        self._client: _Client | None = None

    def ask(self, request: Request) -> Any:
        """Ask, a second time with a new client where the old one's clock is off.

        A client asks once what time it is at OVHcloud and counts from there,
        which goes wrong when this machine's clock is set.
        """
        fresh = self._client is None
        try:
            return self._ask(request)
        except RefusedError as err:
            if fresh or error_word(err.response) not in CLOCK_ERRORS:
                raise
        self._client = None
        return self._ask(request)

    def _ask(self, request: Request) -> Any:
        self._client = self._client or self._connect()
        query = f"?{urlencode(request.query)}" if request.query else ""
        response = self._client.raw_call(
            request.method,
            request.path + query,
            data=request.body,
            need_auth=request.signed,
            headers=dict(request.headers),
        )
        if response.status_code not in _OK:
            raise RefusedError(response)
        return json.loads(response.content or b"null")


class Exchange:
    """A few lines to OVHcloud, and as many threads at most.

    Who gives up waiting does not end the thread that waits: its line is taken
    until that ends by itself, and nobody else is put through to it.
    """

    def __init__(
        self,
        size: int,
        access: Callable[[], Access],
        run_blocking: RunBlocking,
        note_date: NoteDate = lambda _: None,
    ) -> None:
        """Open the lines when they are needed; each answer's `Date` is passed on."""
        self._idle = [_Line(lambda: build(access(), note_date)) for _ in range(size)]
        self._run_blocking = run_blocking

    async def ask(self, request: Request) -> Any:
        """Ask on a free line."""
        if not self._idle:
            raise ProviderUnavailableError("every line hangs", maybe_processed=False)
        line = self._idle.pop()
        answer = asyncio.ensure_future(self._run_blocking(line.ask, request))
        answer.add_done_callback(partial(self._release, line))
        await asyncio.wait((answer,))
        return answer.result()

    def _release(self, line: _Line, answer: asyncio.Future[Any]) -> None:
        self._idle.append(line)
        if not answer.cancelled():
            # Read, for asyncio complains of an error that nobody has seen.
            answer.exception()
