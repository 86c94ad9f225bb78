"""Serve the handset: the page on which a human plays the other end."""

from pathlib import Path
from typing import Final

from aiohttp import web

PAGE: Final = Path(__file__).with_name("handset.html")


def add_routes(app: web.Application) -> None:
    """Serve the page at the root."""
    # Read once, at start: a handler must not touch the disk in the loop.
    page = PAGE.read_text(encoding="utf-8")

    async def show(_request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    app.router.add_get("/", show)
