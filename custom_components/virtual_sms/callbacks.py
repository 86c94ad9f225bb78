"""Put our callback URLs at the provider, and take them back.

The URL is often the account's only one, so another application may live on it:
it is read first, never replaced unasked, and put back in the end.
"""

from collections.abc import Collection
from dataclasses import dataclass

from .adapters.base import SmsAdapter
from .adapters.errors import NotFoundError, SmsError
from .adapters.models import CallbackUrls, Capability, PhoneNumber


class ForeignCallbackError(SmsError):
    """Another application's URL stands at the provider: `url`."""

    code = "foreign_callback"

    def __init__(self, url: str) -> None:
        """Keep the URL for the person to judge."""
        super().__init__("another application's URL stands at the provider")
        self.url = url


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRegistration:
    """Our claim on a number's callback URLs.

    `own` holds what marks a URL as this home's: the webhook ids of the lines
    that share the account. The host is no mark, since it changes with the home's
    external address.
    """

    adapter: SmsAdapter
    number: PhoneNumber
    own: Collection[str]

    def wanted(self, url: str) -> CallbackUrls:
        """Return what should stand at the provider."""
        return CallbackUrls(inbound=url, status=url if self._is_shared else None)

    async def claim(self, url: str, *, replace: bool = False) -> CallbackUrls | None:
        """Set our URL and return the foreign ones it replaced, if any.

        A URL of this home is left alone where it still leads here: lines of one
        account share it. Raises ForeignCallbackError unless told to replace.
        """
        current = await self.adapter.get_callbacks(self.number)
        foreign = [each for each in _urls(current) if not self._is_own(each)]
        if foreign and not replace:
            raise ForeignCallbackError(foreign[0])
        if not self._serves(current, url):
            await self.adapter.set_callbacks(self.number, self.wanted(url))
        return self._without_own(current) if foreign else None

    async def release(
        self, url: str, *, previous: CallbackUrls | None, heir: str | None
    ) -> None:
        """Take our URL back: hand it to another line, or restore what was there.

        Whoever changed one at the provider in the meantime keeps it.
        """
        try:
            current = await self.adapter.get_callbacks(self.number)
        except NotFoundError:
            return
        if url not in _urls(current):
            return
        follower = previous or CallbackUrls()
        if heir and self._is_shared:
            follower = self.wanted(heir)
        urls = CallbackUrls(
            inbound=follower.inbound if current.inbound == url else current.inbound,
            status=follower.status if current.status == url else current.status,
        )
        await self.adapter.set_callbacks(self.number, urls)

    @property
    def _is_shared(self) -> bool:
        return Capability.SHARED_CALLBACK_URLS in self.adapter.capabilities

    def _is_own(self, url: str) -> bool:
        return any(mark in url for mark in self.own)

    def _without_own(self, urls: CallbackUrls) -> CallbackUrls:
        inbound, status = (
            None if url is None or self._is_own(url) else url
            for url in (urls.inbound, urls.status)
        )
        return CallbackUrls(inbound=inbound, status=status)

    def _serves(self, current: CallbackUrls, url: str) -> bool:
        """Say whether what stands there brings this number's callbacks here.

        Lines that share their account's URLs need one of them to stand there, at
        the address this home has now.
        """
        wanted = self.wanted(url)
        if not self._is_shared:
            return current.inbound == wanted.inbound
        origin = url.rpartition("/")[0]
        return all(
            theirs is not None and self._is_own(theirs) and theirs.startswith(origin)
            for theirs in (current.inbound, current.status)
        )


def _urls(urls: CallbackUrls) -> list[str]:
    return [url for url in (urls.inbound, urls.status) if url]
