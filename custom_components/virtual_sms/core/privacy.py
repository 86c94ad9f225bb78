"""Decide how much of a message its home may show, and keep.

What leaves this integration ends up in places that a person does not think of: the recorder's
database, the logbook, a backup of either. So it is shortened before it
leaves, by one table, and everything that shows it follows.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
import re
from typing import Final

ELLIPSIS: Final = "…"
_MOST_KEPT: Final = 4
_SHORTEST_NUMBER: Final = 8
_NUMBER: Final = re.compile(r"\+?[0-9](?:[\s().\-/\u2010-\u2015]*[0-9]){6,}")

type Redaction = Callable[[object], object]


class Privacy(StrEnum):
    """How much is shown: all, a glimpse of it, or only that something happened."""

    FULL = "full"
    MASKED = "masked"
    METADATA = "metadata"

    def redact[T](self, data: Mapping[str, T]) -> dict[str, T | object]:
        """Return what may be shown of an event, or of the attributes of an entity.

        Each key stays, so that a template that reads it does not fail. What has
        been redacted before is not shortened further.
        """
        redactions = _REDACTIONS[self]
        return {
            key: redactions[key](value) if key in redactions else value
            for key, value in data.items()
        }


def mask_text(value: object) -> object:
    """Keep the first letters, never more than a quarter: a code is short as well."""
    if not isinstance(value, str) or _is_masked(value):
        return value
    return value[: min(_MOST_KEPT, len(value) // 4)] + ELLIPSIS


def mask_correspondent(value: object) -> object:
    """Keep the country and the last digits; of a name or short number the beginning."""
    if not isinstance(value, str) or ELLIPSIS in value:
        return value
    if value.startswith("+") and len(value) > _SHORTEST_NUMBER:
        return value[:3] + ELLIPSIS + value[-2:]
    return value[:2] + ELLIPSIS


def mask_numbers(text: str) -> str:
    """Keep a text, such as a name that a person gave, but no telephone number in it."""
    return _NUMBER.sub(lambda found: str(mask_correspondent(found[0])), text)


def _is_masked(text: str) -> bool:
    return not text or (text.endswith(ELLIPSIS) and len(text) <= _MOST_KEPT + 1)


def _hide(_: object) -> None:
    """Show nothing."""


def _hide_urls(media: object) -> object:
    """Show that there is an attachment and of what kind, not where it lies."""
    if not isinstance(media, list):
        return media
    return [{**each, "url": None} for each in media]


_REDACTIONS: Final[Mapping[Privacy, Mapping[str, Redaction]]] = {
    Privacy.FULL: {},
    Privacy.MASKED: {
        "correspondent": mask_correspondent,
        "media": _hide_urls,
        "recipient": mask_correspondent,
        "sender": mask_correspondent,
        "text": mask_text,
    },
    Privacy.METADATA: {
        "contact": _hide,
        "contact_id": _hide,
        "correspondent": _hide,
        "media": _hide_urls,
        "person": _hide,
        "recipient": _hide,
        "sender": _hide,
        "text": _hide,
    },
}
