"""Read parameters as Twilio does, or raise its refusal."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from ..base import Json, Reply
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


def cut_page[T](
    request: web.Request,
    key: str,
    items: Sequence[T],
    render: Callable[[T], Json],
) -> Reply:
    """Cut one page; its token counts from the end, so new items shift nothing."""
    page, size = read_page(request)
    # Newer items are put in front: what is left after a page stays the same.
    left = request.query.get("PageToken", "").removeprefix("PA")
    start = len(items) - int(left) if left.isdigit() else page * size
    shown = items[start : start + size]
    left_after = len(items) - start - len(shown)

    def link(number: int, token: int | None = None) -> str:
        query = [
            (name, value)
            for name, value in request.query.items()
            if name not in {"Page", "PageToken", "PageSize"}
        ]
        query += [("PageSize", str(size)), ("Page", str(number))]
        if token is not None:
            query.append(("PageToken", f"PA{token}"))
        return f"{request.path}?{urlencode(query)}"

    payload = {
        key: [render(item) for item in shown],
        "page": page,
        "page_size": size,
        "start": start,
        "end": max(start + len(shown) - 1, 0),
        "uri": request.path_qs,
        "first_page_uri": link(0),
        "previous_page_uri": link(page - 1) if page else None,
        "next_page_uri": link(page + 1, left_after) if left_after else None,
    }
    return Reply(payload=payload)
