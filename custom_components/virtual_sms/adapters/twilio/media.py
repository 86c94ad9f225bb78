"""Pictures through Twilio: which numbers send them, and where those that came in lie.

Facts are from twilio.com/docs, named by the title of the page.
"""

from abc import ABC
from typing import TYPE_CHECKING, Final, override
from urllib.parse import SplitResult, urljoin, urlsplit

from aiohttp import ClientError, ClientTimeout, encode_basic_auth

from ..errors import (
    AuthenticationError,
    InvalidResponseError,
    NotFoundError,
    ProviderUnavailableError,
    SmsError,
)
from ..websession import unavailable
from . import records
from .client import TwilioClient
from .http import ORIGIN
from .sdk import api_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientResponse

    from ..models import Media, PhoneNumber

_TIMEOUT: Final = ClientTimeout(connect=5.0, total=12.0)
_MOST_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK: Final = 65_536
_REFUSALS: Final[Mapping[int, type[SmsError]]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFoundError,
    410: NotFoundError,
}


class TwilioMedia(TwilioClient, ABC):
    """Send pictures through Twilio, and fetch those that came in."""

    @override
    async def can_send_media(self, number: PhoneNumber) -> bool:
        if number.number not in self._sends_media:
            try:
                _, can = await self._find_number(number, records.read_media_capability)
            except SmsError:
                return True
            self._sends_media[number.number] = can
        return self._sends_media[number.number]

    @override
    async def fetch_media(self, media: Media, most: int) -> bytes:
        url = media.url
        if not self._is_ours(url):
            raise InvalidResponseError("a file on another host")
        async with self._turn():
            # "Media subresource": our host redirects to one that wants no credentials.
            return await self._fetch(url, most, self._authorization)

    @property
    def _origin(self) -> SplitResult:
        return urlsplit(self.base_url or ORIGIN)

    @property
    def _authorization(self) -> Mapping[str, str]:
        who = api_key(self._credentials) or (self._account, self._token)
        return {"Authorization": encode_basic_auth(*who)}

    def _is_ours(self, url: str) -> bool:
        """Say whether a URL is one of our account's at Twilio itself."""
        try:
            parts = urlsplit(url)
            host = parts.scheme, parts.netloc
        except ValueError:
            return False
        account = f"/2010-04-01/Accounts/{self._account}/Messages/"
        is_plain = ".." not in parts.path and "%" not in parts.path
        return (
            host == (self._origin.scheme, self._origin.netloc)
            and parts.path.startswith(account)
            and is_plain
        )

    async def _fetch(
        self, url: str, most: int, headers: Mapping[str, str], redirects: int = 0
    ) -> bytes:
        try:
            async with self._session.get(
                url, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                if response.status not in _REDIRECTS:
                    return await _read(response, most)
                location = response.headers.get("Location", "")
        except (ClientError, OSError, TimeoutError) as err:
            raise unavailable(err) from None
        target = self._follow(url, location)
        if redirects == _MOST_REDIRECTS or target is None:
            raise InvalidResponseError("a redirect to nowhere")
        return await self._fetch(target, most, {}, redirects + 1)

    def _follow(self, url: str, location: str) -> str | None:
        """Return where a redirect leads, if that is no less safe than where we are."""
        try:
            target = urljoin(url, location)
            scheme = urlsplit(target).scheme
        except ValueError:
            return None
        return target if location and scheme in {"https", self._origin.scheme} else None


async def _read(response: ClientResponse, most: int) -> bytes:
    """Read an answer, up to its limit; what it says of its length proves nothing."""
    _check(response.status)
    data = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        data += chunk
        if len(data) > most:
            raise InvalidResponseError("a file that is too large")
    return bytes(data)


def _check(status: int) -> None:
    if status in _REFUSALS:
        raise _REFUSALS[status](f"HTTP {status}")
    if status // 100 != 2:  # noqa: PLR2004  # 2xx
        raise ProviderUnavailableError(f"HTTP {status}", answered=True)
