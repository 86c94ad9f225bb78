"""Twilio's lists, read one record at a time, so that none stops the others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2s
import logging
from typing import Any, Final

from ..models import SetAside, SetAsideReason

_LOGGER = logging.getLogger(__name__)

UNNAMED: Final = "unnamed-"
"""Begins the id of a record whose own cannot be read."""


class _Sparse(dict[str, Any]):
    """A record in which what is left out is null, as newer SDKs read it anyway."""

    def __missing__(self, key: str) -> None:
        """Say nothing of a field that is not there."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of a list that makes no sense as a whole."""

    raw: object

    @property
    def sid(self) -> str | None:
        """Return its own id, where that can be read."""
        return self._text("sid")

    @property
    def at(self) -> datetime | None:
        """Return when it was made, where that can be read."""
        for name in ("date_sent", "date_created"):
            try:
                date = parsedate_to_datetime(self._text(name) or "")
                return date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
            except OverflowError, TypeError, ValueError:
                continue
        return None

    @property
    def is_inbound(self) -> bool:
        """Tell whether it says that it was written to us."""
        return self._text("direction") == "inbound"

    @property
    def is_outbound(self) -> bool:
        """Tell whether it says that we sent it."""
        return (self._text("direction") or "").startswith("outbound")

    @property
    def id(self) -> str:
        """Return its own id, or else one made of what it says."""
        mark = blake2s(repr(self.raw).encode("utf-8", "replace"), digest_size=8)
        return self.sid or UNNAMED + mark.hexdigest()

    @property
    def set_aside(self) -> SetAside:
        """Name it, to be read again."""
        reason = SetAsideReason.UNREADABLE
        return SetAside(record_id=self.id, reason=reason, at=self.at)

    def _text(self, name: str) -> str | None:
        value = self.raw.get(name) if isinstance(self.raw, dict) else None
        return value if isinstance(value, str) and value else None


def read_page[T](
    read: Callable[[Any], T], page: Any
) -> tuple[list[T | Unreadable], Any]:
    """Read a page's records; with it comes the page if there is one after it."""
    found = [_read_one(read, page, raw) for raw in page._records]  # noqa: SLF001  # the SDK ends a page at what it cannot read
    return found, page if page.next_page_url else None


def _read_one[T](read: Callable[[Any], T], page: Any, raw: Any) -> T | Unreadable:
    try:
        return read(page.get_instance(_Sparse(raw)))
    except Exception:  # noqa: BLE001  # whatever the SDK or a reader makes of nonsense
        return Unreadable(raw)


def reach_back(
    start: datetime, found: Sequence[tuple[datetime, object] | Unreadable]
) -> bool:
    """Tell whether a list, the newest first, may go on with what is not too old."""
    dates = (
        each.at if isinstance(each, Unreadable) else each[0] for each in reversed(found)
    )
    last = next((date for date in dates if date is not None), None)
    return last is None or last >= start


def readable[T](found: Iterable[T | Unreadable]) -> list[T]:
    """Leave out what cannot be read; ValueError where nothing else is there."""
    every = list(found)
    good = [each for each in every if not isinstance(each, Unreadable)]
    if every and not good:
        raise ValueError("nothing readable in a list")
    if len(good) < len(every):
        _LOGGER.warning(
            "Twilio lists %d records of which %d cannot be read; they are left out",
            len(every),
            len(every) - len(good),
        )
    return good
