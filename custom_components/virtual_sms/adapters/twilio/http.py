"""HTTP for Twilio's SDK, in place of the clients it brings.

Those write numbers and texts to the log, know a single origin, may wait for
ever and lose the Retry-After header. The SDK asks for no more than a `request`
method, so that these two need not import it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus, urlencode

from aiohttp import ClientError, ClientTimeout, encode_basic_auth

from ..errors import ProviderUnavailableError
from ..http_headers import read_pause
from ..websession import unavailable

if TYPE_CHECKING:
    from aiohttp import ClientSession

ORIGIN: Final = "https://api.twilio.com"
MONITOR: Final = "https://monitor.twilio.com"
HOSTS: Final = (ORIGIN, MONITOR)
"""All that get the credentials; another origin replaces each of them."""

ACCOUNT: Final = re.compile(r"/2010-04-01/Accounts/[^/]+(?=/)")
CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 12.0
CONNECTIONS: Final = 17

_REMEMBERED: Final = 32
"""Names and values that are not quoted again: an alarm says the same to everybody."""
_TIMEOUT: Final = ClientTimeout(connect=CONNECT_TIMEOUT, total=READ_TIMEOUT)

_quote: Final = lru_cache(_REMEMBERED)(quote_plus)

type Fields = Mapping[str, object]
type NoteDate = Callable[[str | None], None]


def ignore_date(_: str | None) -> None:
    """Learn nothing from a date."""


class Refusal(Exception):  # noqa: N818  # what happened, not what went wrong
    """An answer that is no success, with Twilio's own code where it has one."""

    def __init__(
        self, status: int, code: str | None, retry_after: float | None, request: str
    ) -> None:
        """Keep what says nothing about who texts what; `request` names the right."""
        super().__init__(f"HTTP {status}, code {code}")
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.request = request


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, with the names under which the SDK reads it."""

    status_code: int
    text: str
    headers: Mapping[str, str]


class AsyncHttp:
    """What the SDK's asynchronous verbs (8.0 and later) ask through."""

    is_async = True

    def __init__(
        self, session: ClientSession, origin: str, note_date: NoteDate = ignore_date
    ) -> None:
        """Borrow the caller's session; every answer's `Date` is passed on."""
        self._session = session
        self._origin = origin
        self._note_date = note_date

    async def request(  # noqa: PLR0913  # as the SDK calls it
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Fields | None = None,
        headers: Mapping[str, str],
        auth: tuple[str, str],
        **_: object,
    ) -> Reply:
        """Ask once, follow no redirect, and raise Refusal unless it succeeds."""
        try:
            async with self._session.request(
                method,
                _address(self._origin, url),
                params=params,
                data=_form(data),
                headers=_headers(headers, auth),
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                text = await response.text("utf-8", "replace")
                reply = Reply(response.status, text, response.headers)
        except (ClientError, OSError) as err:
            raise unavailable(err) from None
        self._note_date(reply.headers.get("Date"))
        return _accepted(reply, method, url)


class BlockingHttp:
    """What the verbs of an SDK before 8.0 ask through, in the executor."""

    is_async = False

    def __init__(self, origin: str, note_date: NoteDate = ignore_date) -> None:
        """Build a session of our own, deaf to proxies and .netrc as aiohttp is."""
        import requests

        self._session = requests.Session()
        self._session.trust_env = False
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._origin = origin
        self._note_date = note_date

    def request(  # noqa: PLR0913  # as the SDK calls it
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Fields | None = None,
        headers: Mapping[str, str],
        auth: tuple[str, str],
        **_: object,
    ) -> Reply:
        """Ask once, follow no redirect, and raise Refusal unless it succeeds."""
        try:
            response = self._session.request(
                method,
                _address(self._origin, url),
                params=params,
                data=_form(data),
                headers=_headers(headers, auth),
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
            )
        except OSError as err:
            raise ProviderUnavailableError(
                type(err).__name__, maybe_processed=not _refused_to_connect(err)
            ) from None
        text = response.content.decode("utf-8", "replace")
        reply = Reply(response.status_code, text, response.headers)
        self._note_date(reply.headers.get("Date"))
        return _accepted(reply, method, url)


def _address(origin: str, url: str) -> str:
    host, path = _split(url)
    return (host if origin == ORIGIN else origin) + path


def _split(url: str) -> tuple[str, str]:
    """Part one of Twilio's hosts from the path."""
    for host in HOSTS:
        if url.startswith(f"{host}/"):
            return host, url.removeprefix(host)
    # The link to a next page comes from the answer, the credentials from us.
    raise ValueError("a link to another host")


def _form(data: Fields | None) -> str | None:
    return urlencode(data, doseq=True, quote_via=_quote) if data else None


def _headers(headers: Mapping[str, str], auth: tuple[str, str]) -> dict[str, str]:
    return {**headers, "Authorization": encode_basic_auth(*auth)}


def _accepted(reply: Reply, method: str, url: str) -> Reply:
    status = reply.status_code
    if status // 100 == 2:  # noqa: PLR2004  # 2xx
        return reply
    path = ACCOUNT.sub("", _split(url)[1]).partition("?")[0]
    pause = read_pause(reply.headers)
    raise Refusal(status, _code(reply.text), pause, f"{method} {path}")


def _code(text: str) -> str | None:
    try:
        code = json.loads(text)["code"]
    except ValueError, TypeError, KeyError:
        return None
    return str(code) if isinstance(code, int) else None


def _refused_to_connect(err: OSError) -> bool:
    """Tell a connection that never came about from one that broke.

    Requests has one exception for both; the reason inside it tells them apart.
    """
    from requests.exceptions import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    reason = getattr(next(iter(err.args), None), "reason", None)
    return isinstance(err, ConnectTimeout) or isinstance(reason, NewConnectionError)
