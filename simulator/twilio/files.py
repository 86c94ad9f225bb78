"""Fetch the files of a message that was accepted, as Twilio does: HEAD, then GET."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from yarl import URL

from ..base import Media

if TYPE_CHECKING:
    from ..world import World
    from .models import TwilioMessage

HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
OK: Final = 200


async def fetch_files(world: World, message: TwilioMessage) -> None:
    """Put what lies at the URLs of a message into it; nothing leaves this machine."""
    message.media = tuple(
        [await _fetch(world, message, each) for each in message.media]
    )


async def _fetch(world: World, message: TwilioMessage, file: Media) -> Media:
    url = world.poster.route(file.url)
    if not file.url or URL(url).host not in HERE or url.startswith(world.url):
        return file
    for method in ("HEAD", "GET"):
        status, kind, data = await world.poster.fetch(method, url)
        message.fetches.append((method, status))
        if status != OK:
            return file
    return replace(file, content_type=kind, data=data)
