"""The part of the contract that is about pictures; see `Capability.MEDIA`."""

from typing import ClassVar

from .errors import UnsupportedFeatureError
from .models import Capability, Media, PhoneNumber


class MediaVerbs:
    """Send pictures, and fetch those that came in; without MEDIA nobody can."""

    capabilities: ClassVar[Capability]

    async def can_send_media(self, number: PhoneNumber) -> bool:
        """Say whether a number sends pictures, as far as the provider tells.

        Only a clear no is one: what cannot be found out now is found out by sending.
        """
        del number
        return Capability.MEDIA in self.capabilities

    async def fetch_media(self, media: Media, most: int) -> bytes:
        """Fetch what came with a message, if it has `most` bytes at most.

        Only hosts of the provider get the credentials, and nobody after a redirect.
        Raises NotFoundError when it is gone, InvalidResponseError when it is too large
        or lies elsewhere, and UnsupportedFeatureError where nothing can be fetched.
        """
        raise UnsupportedFeatureError
