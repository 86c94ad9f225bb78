"""End a connection whose body is not wanted."""

from contextlib import suppress

from aiohttp import web


async def async_hang_up(request: web.Request, response: web.Response) -> None:
    """Send the answer and close, where a body was left unread or cannot be read.

    The web server would read the rest, and log what a stranger's body makes it raise.
    """
    # A request that came through the cloud has no connection of its own.
    protocol = getattr(request, "protocol", None)
    if protocol is None or _is_read(request):
        return
    response.force_close()
    with suppress(OSError):
        await response.prepare(request)
        await response.write_eof()
    protocol.force_close()


def _is_read(request: web.Request) -> bool:
    return request.content.is_eof() and request.content.exception() is None
