"""Call the home back, and keep what it answered.

The log is half of the simulator's use: it tells what a provider would have
made of the answer, which the provider itself would only show in its console.
"""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Callable

OK: Final = 200
REDIRECT: Final = 300
LONGEST_SHOWN: Final = 2000
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


class Quirk(StrEnum):
    """Name a bad habit of a provider's callbacks."""

    DUPLICATED = "duplicated"
    REORDERED = "reordered"  # the final status first, earlier ones after it
    SUPPRESSED = "suppressed"
    FORGED = "forged"  # Twilio: bad signature; OVHcloud: an id that does not exist


class Verdict(StrEnum):
    """Name what the provider makes of an answer."""

    ACCEPTED = "accepted"
    WARNING = "warning"  # taken, but the console complains
    TEXTED_BACK = "texted_back"  # the answer goes to the sender as an SMS
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"


WORDS: Final = {
    Verdict.ACCEPTED: "Home Assistant took it ({status})",
    Verdict.WARNING: "Home Assistant took it ({status}), with a warning {code}",
    Verdict.TEXTED_BACK: "Home Assistant's answer was texted back to the sender!",
    Verdict.REJECTED: "Home Assistant refused it ({status})",
    Verdict.TIMED_OUT: "Home Assistant did not answer in time",
    Verdict.UNREACHABLE: "Home Assistant cannot be reached at this address",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """Hold one call to make."""

    provider: str
    kind: str  # "inbound" or "status" of a message, "voice" or "call"
    message_id: str | int
    method: str
    url: str
    fields: tuple[tuple[str, str], ...]
    in_query: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what came back; status None when nothing did."""

    status: int | None
    content_type: str = ""
    body: str = ""
    timed_out: bool = False
    reached: bool = True  # somebody listened, whether an answer came or not

    @property
    def success(self) -> bool:
        """Tell whether the status is a 2xx."""
        return self.status is not None and OK <= self.status < REDIRECT


type Judge = Callable[[Callback, Answer], tuple[Verdict, int | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRecord:
    """Remember a callback posted and the answer to it."""

    provider: str
    kind: str
    message_id: str | int
    method: str
    url: str
    fields: dict[str, str]
    headers: dict[str, str]
    at: datetime
    reached: bool
    status: int | None
    content_type: str
    body: str
    verdict: Verdict
    error_code: int | None

    @property
    def ok(self) -> bool:
        """Tell whether the provider is content."""
        return self.verdict in {Verdict.ACCEPTED, Verdict.WARNING}

    @property
    def words(self) -> str:
        """Say the verdict in words a newcomer understands."""
        return WORDS[self.verdict].format(status=self.status, code=self.error_code)


class Poster:
    """Post callbacks over one session and log them.

    `reroute` plays the reverse proxy: it maps a public origin to the one that
    can be reached from here, while the URL that is signed stays the public one.
    """

    def __init__(self) -> None:
        """Start with an empty log; the session opens on `open`."""
        self.log: list[CallbackRecord] = []
        self.reroute: dict[str, str] = {}
        self.timeout = aiohttp.ClientTimeout(total=15, sock_connect=5)
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Open the session, inside the running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def post(
        self, callback: Callback, judge: Judge, *, retries: int = 0
    ) -> CallbackRecord:
        """Make the call, judge the answer and log both."""
        at = datetime.now(UTC)
        answer = await self._ask(callback)
        while answer.status is None and not answer.timed_out and retries:
            retries -= 1
            answer = await self._ask(callback)
        record = _record(callback, answer, judge(callback, answer), at)
        self.log.append(record)
        return record

    async def fetch(self, method: str, url: str) -> tuple[int | None, str, bytes]:
        """Fetch a file of the home's: its status, its type and what is in it."""
        if self._session is None:
            return None, "", b""
        try:
            async with self._session.request(
                method, url, timeout=self.timeout, allow_redirects=False
            ) as response:
                return response.status, response.content_type, await response.read()
        except aiohttp.ClientError, OSError, TimeoutError, ValueError:
            return None, "", b""

    async def _ask(self, callback: Callback) -> Answer:
        if self._session is None:
            return Answer(None, reached=False)
        text, data = _carry(callback)
        try:
            url = URL(self.route(text), encoded=True)
            async with self._session.request(
                callback.method,
                url.with_user(None),
                data=data,
                headers=_headers(callback, url, data),
                timeout=self.timeout,
                allow_redirects=False,
            ) as response:
                body = await response.text(errors="replace")
                kind = response.headers.get("Content-Type", "")
                return Answer(response.status, kind, body)
        except aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError:
            return Answer(None, reached=False)
        except TimeoutError:
            return Answer(None, timed_out=True)
        except aiohttp.ClientError, OSError, ValueError:
            return Answer(None)

    def route(self, url: str) -> str:
        """Return where a public URL is reached from here."""
        for public, reachable in self.reroute.items():
            if url.startswith(public):
                return reachable + url.removeprefix(public)
        return url


def _carry(callback: Callback) -> tuple[str, bytes | None]:
    url, form = callback.url.partition("#")[0], urlencode(callback.fields)
    if not callback.in_query:
        return url, form.encode()
    return f"{url}{'&' if '?' in url else '?'}{form}", None


def _headers(callback: Callback, url: URL, data: bytes | None) -> dict[str, str]:
    headers = callback.headers | (FORM if data is not None else {})
    if url.user is not None:
        # Written out, since aiohttp 3.14 deprecates its own way.
        pair = f"{url.user}:{url.password or ''}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return headers


def _record(
    callback: Callback,
    answer: Answer,
    judged: tuple[Verdict, int | None],
    at: datetime,
) -> CallbackRecord:
    return CallbackRecord(
        provider=callback.provider,
        kind=callback.kind,
        message_id=callback.message_id,
        method=callback.method,
        url=callback.url,
        fields=dict(callback.fields),
        headers=callback.headers,
        at=at,
        reached=answer.reached,
        status=answer.status,
        content_type=answer.content_type,
        body=answer.body[:LONGEST_SHOWN],
        verdict=judged[0],
        error_code=judged[1],
    )
