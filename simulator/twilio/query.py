"""Read parameters as Twilio does, or raise its refusal."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .errors import error

if TYPE_CHECKING:
    from aiohttp import web

LARGEST_PAGE: Final = 1000


def read_page(request: web.Request) -> tuple[int, int]:
    """Return which page is asked for, and how many items it holds."""
    size = _read_whole(request, "PageSize", 50)
    return _read_whole(request, "Page", 0), max(1, min(size, LARGEST_PAGE))


def _read_whole(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name, str(default))
    if not value.isdigit():
        raise error(20001, f"{name}={value}")
    return int(value)


def read_moment(name: str, value: str) -> datetime:
    """Read a date or a time; without a zone it is in UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as err:
        raise error(20001, f"{name}={value}") from err
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_web_url(url: str) -> bool:
    """Tell whether a URL can be called."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
