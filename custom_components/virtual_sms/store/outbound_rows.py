"""How the rows of the outbound table read."""

from dataclasses import dataclass
from datetime import UTC, datetime
import json
import sqlite3
from typing import Final

from ..adapters.models import OutboundMessage
from ..adapters.segments import count_segments

# Day by day from the newest on, for almost all that is asked for is of today.
_BY_PROVIDER: Final = """(
    WITH RECURSIVE each (day) AS (
        SELECT max(day) FROM outbound WHERE provider_id IS NOT NULL
        UNION ALL SELECT (
            SELECT max(day) FROM outbound
            WHERE provider_id IS NOT NULL AND day < each.day
        ) FROM each WHERE day IS NOT NULL
    )
    SELECT message_id FROM each CROSS JOIN outbound USING (day)
    WHERE provider_id = {} LIMIT 1
)"""
BY_PROVIDER: Final = _BY_PROVIDER.format("?")
"""The id of the message that has an id of the provider's, if one has."""
BY_PROVIDERS: Final = f"(SELECT {_BY_PROVIDER.format('value')} FROM json_each(?))"  # noqa: S608  # our own constant
"""The ids of the messages that have some ids of the provider's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A message that waits for something to be done."""

    message: OutboundMessage
    deadline: datetime
    settled_at: datetime | None = None
    """Where the outcome is unknown: the time from which the provider's record can be believed."""
    sent_after: datetime | None = None
    """The provider's time from which its record may show the message, if known."""


def read_due(row: sqlite3.Row) -> Due:
    """Read a message that is yet to be accepted."""
    text, media = json.loads(row["content"])
    count = count_segments(text)
    return Due(
        message=OutboundMessage(
            message_id=row["message_id"],
            recipient=row["recipient"],
            text=text,
            media=tuple(media),
            segments=count.segments,
            encoding=count.encoding,
            created_at=read_time(row["created_at"]),
            contact=row["contact"],
        ),
        deadline=read_time(row["deadline"]),
        settled_at=_read_optional(row["settled_at"]),
        sent_after=_read_optional(row["sent_after"]),
    )


def read_time(timestamp: float) -> datetime:
    """Read a time."""
    return datetime.fromtimestamp(timestamp, UTC)


def _read_optional(timestamp: float | None) -> datetime | None:
    return None if timestamp is None else read_time(timestamp)
