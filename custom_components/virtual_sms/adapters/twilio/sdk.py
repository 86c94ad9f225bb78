"""Twilio's SDK, loaded and used whatever its generation.

Home Assistant's own integration pins 6.32.0, which knows blocking verbs only;
from 8.0 on there are asynchronous ones. No other module knows which it is.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
import hmac
from itertools import chain
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..errors import AuthenticationError, NotFoundError
from .http import AsyncHttp, BlockingHttp, ignore_date
from .old_calls import with_twiml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from aiohttp import ClientSession

    from ..base import RunBlocking
    from .http import NoteDate

_SID: Final = re.compile(r"[A-Za-z]{2}[\w-]+", re.ASCII)
_OWNER_SID: Final = re.compile(r"(AC|SK)[\w-]+", re.ASCII)
# Given none, or an empty one, the SDK obeys TWILIO_REGION of the process.
_ENVIRONMENT: Final = {"TWILIO_REGION": ""}


@dataclass(frozen=True, slots=True)
class Sdk:
    """Two clients of one account: `owner` has its token, `rest` maybe a key."""

    rest: Any
    owner: Any
    build_validator: Callable[[str], Any]
    calls: Any
    """As `rest.calls`, but with the TwiML in the request in any generation."""

    @property
    def is_asynchronous(self) -> bool:
        """Say whether this generation needs no executor."""
        return isinstance(self.rest.http_client, AsyncHttp)

    def has_signed(
        self, token: str, url: str, form: Iterable[tuple[str, str]], signature: str
    ) -> bool:
        """Tell whether a token signed a callback, in constant time.

        The port may be missing from what was signed, or added to it ("Security").
        Raises ValueError for what is no URL.
        """
        validator = self.build_validator(token)
        page, mark, query = url.partition("#")[0].partition("?")
        rest = "".join((mark, query, *_signed_fields(form)))
        return any(
            equal(validator.compute_signature(spell(page) + rest, {}), signature)
            for spell in (str, _other_port)
        )


def api_key(credentials: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the key to ask with, where one is given with its secret."""
    sid = credentials.get("api_key_sid")
    secret = credentials.get("api_key_secret")
    return (sid, secret) if sid and secret else None


def load(
    credentials: Mapping[str, str],
    session: ClientSession,
    origin: str,
    note_date: NoteDate = ignore_date,
) -> Sdk:
    """Import the SDK, the half included that it imports at the first access.

    Takes up to a second, hence not for the event loop.
    """
    import twilio.http
    from twilio.request_validator import RequestValidator
    from twilio.rest import Client

    owner = (credentials["account_sid"], credentials["auth_token"])
    rest = api_key(credentials) or owner
    if not (
        _OWNER_SID.fullmatch(owner[0]) and _OWNER_SID.fullmatch(rest[0]) and owner[1]
    ):
        raise AuthenticationError("no SID or no token")
    http = (
        AsyncHttp(session, origin, note_date)
        if hasattr(twilio.http, "AsyncHttpClient")
        else BlockingHttp(origin, note_date)
    )
    build = partial(
        Client, account_sid=owner[0], http_client=http, environment=_ENVIRONMENT
    )
    client = build(*rest)
    sdk = Sdk(
        rest=client,
        owner=build(*owner),
        build_validator=RequestValidator,
        calls=with_twiml(client.calls),
    )
    for client in (sdk.rest, sdk.owner):
        _ = client.messages, client.incoming_phone_numbers, client.balance
    _ = sdk.rest.monitor.v1.alerts
    return sdk


async def use(
    run_blocking: RunBlocking,
    resource: Any,
    verb: str,
    arguments: Mapping[str, object],
) -> Any:
    """Use the asynchronous verb where there is one, else the executor."""
    run = getattr(resource, f"{verb}_async", None)
    if run is not None:
        return await run(**arguments)
    return await run_blocking(partial(getattr(resource, verb), **arguments))


def equal(one: str, other: str) -> bool:
    """Compare what must stay secret."""
    return hmac.compare_digest(one.encode(), other.encode())


def _signed_fields(form: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Write a form out as Twilio signs it: each name before each of its values.

    The SDK takes that for a part of the URL. Left to it, it is written twice, slowly,
    and before 7.14 without the second value of a name.
    """
    return chain.from_iterable(sorted(set(form)))


@lru_cache(maxsize=8)
def _other_port(url: str) -> str:
    """Return a URL without its port, or with that of its scheme."""
    parts = urlsplit(url)
    if parts.port is not None:
        netloc = parts.netloc.removesuffix(f":{parts.port}")
    else:
        netloc = f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}"
    return parts._replace(netloc=netloc).geturl()


def require_sid(text: str) -> None:
    """Raise NotFoundError unless something can be the id of one of Twilio's records."""
    if not _SID.fullmatch(text):
        raise NotFoundError("no SID")
