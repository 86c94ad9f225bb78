"""Put our callback URLs at the provider, and take them back.

The URL is often the account's only one, so another application may live on it:
it is read first, never replaced unasked, and put back in the end.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ..adapters.calls import CallVerbs
from ..adapters.errors import NotFoundError, ProviderUnavailableError, SmsError
from ..adapters.models import CallbackUrls, Capability, PhoneNumber


class ForeignCallbackError(SmsError):
    """Another application's URL stands at the provider: `url`."""

    code = "foreign_callback"

    def __init__(self, url: str) -> None:
        """Keep the URL for the person to judge."""
        super().__init__("another application's URL stands at the provider")
        self.url = url


class CallbacksOverruledError(SmsError):
    """The provider ignores the number's own URLs: `by` names what it follows."""

    code = "callbacks_overruled"

    def __init__(self, by: str) -> None:
        """Keep what the provider follows instead."""
        super().__init__(f"overruled by: {by}")
        self.by = by


class Standing(StrEnum):
    """Whose URL stands at the provider."""

    OURS = "ours"
    MISSING = "missing"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found at the provider; see CallbackUrls for who overrules."""

    standing: Standing
    foreign_url: str | None = field(default=None, repr=False)
    overruled_by: str | None = None
    perhaps_overruled_by: str | None = None


class CallbackPlace(Protocol):
    """Where a provider keeps URLs of a number's: an adapter is one, for messages."""

    @property
    def capabilities(self) -> Capability:
        """Say whether numbers share them."""

    async def get_callbacks(self, number: PhoneNumber) -> CallbackUrls:
        """Read them."""

    async def set_callbacks(self, number: PhoneNumber, urls: CallbackUrls) -> None:
        """Write them."""


_ITS_OWN = Capability(0)


@dataclass(frozen=True, slots=True)
class VoicePlace:
    """Where a provider keeps the URL that is asked when somebody calls a number."""

    adapter: CallVerbs
    capabilities: Capability = _ITS_OWN

    async def get_callbacks(self, number: PhoneNumber) -> CallbackUrls:
        """Read it, as the one for what comes in."""
        return await self.adapter.get_voice_callbacks(number)

    async def set_callbacks(self, number: PhoneNumber, urls: CallbackUrls) -> None:
        """Write it; those for messages stay as they are."""
        await self.adapter.set_voice_callbacks(number, urls)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRegistration:
    """Our claim on a number's callback URLs.

    `own` holds what marks a URL as this home's: the webhook ids of the lines
    that share the account. The host is no mark, since it changes with the home's
    external address.
    """

    adapter: CallbackPlace
    number: PhoneNumber
    own: Collection[str]

    def wanted(self, url: str) -> CallbackUrls:
        """Return what should stand at the provider."""
        return CallbackUrls(inbound=url, status=url if self._is_shared else None)

    async def inspect(self, url: str) -> Finding:
        """Say whose URL stands at the provider, and change nothing."""
        current = await self.adapter.get_callbacks(self.number)
        foreign = self._foreign(current)
        standing = Standing.FOREIGN if foreign else Standing.MISSING
        if self._serves(current, url):
            standing = Standing.OURS
        return Finding(
            standing=standing,
            foreign_url=foreign[0] if foreign else None,
            overruled_by=current.overruled_by,
            perhaps_overruled_by=current.perhaps_overruled_by,
        )

    async def claim(
        self,
        url: str,
        remember: Callable[[CallbackUrls], None],
        *,
        replace: bool = False,
    ) -> Finding:
        """Set our URL; the foreign ones that it replaces are to be remembered.

        That comes before: whoever is cut off in the middle finds our own URL the
        next time.

        A URL of this home is left alone where it still leads here: lines of one
        account share it. Raises ForeignCallbackError unless it may `replace`,
        CallbacksOverruledError where a URL of ours would have no effect, and
        ProviderUnavailableError where it was not kept.
        """
        current = await self.adapter.get_callbacks(self.number)
        if current.overruled_by:
            raise CallbacksOverruledError(current.overruled_by)
        foreign = self._foreign(current)
        if foreign and not replace:
            raise ForeignCallbackError(foreign[0])
        if foreign:
            remember(self._without_own(current))
        if not self._serves(current, url):
            await self._write(url)
        return Finding(
            standing=Standing.OURS, perhaps_overruled_by=current.perhaps_overruled_by
        )

    async def release(
        self, url: str, *, previous: CallbackUrls | None, successor: str | None
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
        if successor and self._is_shared:
            follower = self.wanted(successor)
        urls = CallbackUrls(
            inbound=follower.inbound if current.inbound == url else current.inbound,
            status=follower.status if current.status == url else current.status,
        )
        await self.adapter.set_callbacks(self.number, urls)

    async def _write(self, url: str) -> None:
        """Set our URL, and see that it stands there: only then it is called."""
        await self.adapter.set_callbacks(self.number, self.wanted(url))
        if not self._serves(await self.adapter.get_callbacks(self.number), url):
            raise ProviderUnavailableError(
                "the URL was taken, and does not stand there"
            )

    @property
    def _is_shared(self) -> bool:
        return Capability.SHARED_CALLBACK_URLS in self.adapter.capabilities

    def _foreign(self, urls: CallbackUrls) -> list[str]:
        return [each for each in _urls(urls) if not self._is_own(each)]

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
