"""OVHcloud's SDK, kept to what it was told, and to signing.

It knows how a request is built and signed. What it would then do, wait for the
answer in a thread, is left to Home Assistant's session: where the SDK has a session
of `requests`, it is given one that hands the request back.

Of its calls this uses `raw_call`. The one above it, `call`, hides the status of an
answer that is no JSON, drops Retry-After, and trips over an error that is no object.
Left to itself the SDK also reads /etc/ovh.conf, ~/.ovh.conf, ./ovh.conf and OVH_*
from the environment, and what it finds there can redirect it or make it refuse to
start (ovh 1.2.0, `client.py` and `config.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from ..errors import AuthenticationError

BATCH: Final = {"X-Ovh-Batch": ","}
"""Makes the last part of a path a list (ovh/manager asks so for 50 at a time)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to the API; only who asks for a key or the time need not sign."""

    path: str
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = True


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What the SDK would have sent, to the letter: the signature covers the URL."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Whom a client speaks for, and where."""

    origin: str | None
    application_key: str = field(repr=False)
    application_secret: str = field(repr=False)
    consumer_key: str = field(repr=False)


class Client(Protocol):
    """What is used of `ovh.Client`."""

    time_delta: int
    _session: Any

    def raw_call(
        self,
        method: str,
        path: str,
        *,
        data: object,
        need_auth: bool,
        headers: dict[str, str],
    ) -> SignedRequest:
        """Sign a request, and return what the session returns."""


class _HandBack:
    """What stands where the SDK has its session: nothing is sent."""

    @staticmethod
    def request(
        method: str, url: str, *, headers: Mapping[str, str], data: str, timeout: float
    ) -> SignedRequest:
        """Hand a request back; its timeout is ours to set."""
        del timeout
        return SignedRequest(method, url, headers, data)


def load() -> tuple[type[Any], dict[str, str]]:
    """Import the SDK; return its client and the table of its endpoints.

    An OAuth2 client in the environment beside application keys makes the
    constructor refuse both, and nothing that can be passed says "none": whence
    the properties, which forget what they are given. Its `time_delta` would ask
    for the time by itself; here it is what `sign` sets.
    """
    import ovh.client

    unset = property(lambda _: None, lambda _, __: None)
    names = {"_client_id": unset, "_client_secret": unset, "time_delta": 0}
    return type("Client", (ovh.client.Client,), names), ovh.client.ENDPOINTS


def build(access: Access) -> Client:
    """Build a client whose every setting is given; reads files, so in the executor.

    An endpoint of our own, named by its URL, is one no configuration file knows.
    """
    if not (_fits(access.application_key) and _fits(access.consumer_key)):
        raise AuthenticationError("a key that fits into no header")
    make, endpoints = load()
    url = f"{access.origin}/1.0" if access.origin else endpoints["ovh-eu"]
    endpoints[url] = url
    client: Client = make(
        url, access.application_key, access.application_secret, access.consumer_key
    )
    client._session = _HandBack()  # noqa: SLF001  # no argument for it
    return client


def sign(client: Client, request: Request, time_delta: int) -> SignedRequest:
    """Have a request signed at the provider's time, so many seconds from ours."""
    client.time_delta = time_delta
    query = f"?{urlencode(request.query)}" if request.query else ""
    return client.raw_call(
        request.method,
        request.path + query,
        data=request.body,
        need_auth=request.signed,
        headers=dict(request.headers),
    )


def _fits(key: str) -> bool:
    """Tell whether a key can stand in a header."""
    return key.isascii() and key.isprintable()
