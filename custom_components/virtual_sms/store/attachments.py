"""The table of the files that go with the messages that are kept.

A file goes with its message, by a trigger of the schema. Where it lies is said by the
name of its blob.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
import sqlite3
from typing import Final

from .database import Database

type PartTypes = dict[int, str]
"""What the parts of a message are, by their index."""

MOST_FILES: Final = 1000
MOST_BYTES: Final = 200_000_000

_ADD: Final = """
    INSERT OR REPLACE INTO attachment
    SELECT message_id, ?, ?, ?, ?, at FROM message WHERE message_id = ?
"""
_TYPES: Final = """
    SELECT message_id, part, content_type FROM attachment
    WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY message_id, part
"""
_LIST: Final = """
    SELECT attachment.*, message.correspondent FROM attachment
    JOIN message USING (message_id)
    WHERE status IS NULL AND ? IN (correspondent, '') ORDER BY attachment.at DESC, message_id, part
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a message: which part it is, what it is, and where it lies."""

    message_id: str
    part: int
    blob: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAttachment:
    """A file, with whom it was from and when."""

    attachment: Attachment
    correspondent: str = field(repr=False)
    at: datetime


class AttachmentTable:
    """Note the files of messages, find them, and list them."""

    def __init__(self, database: Database) -> None:
        """Take the way to the disk."""
        self._run = database.run

    async def add(self, attachment: Attachment) -> bool:
        """Note a file; False if its message is not kept, or the file is one too many.

        The oldest make room for it.
        """

        def operation(connection: sqlite3.Connection) -> bool:
            connection.execute(
                _ADD,
                (
                    attachment.part,
                    attachment.blob,
                    attachment.content_type,
                    attachment.size,
                    attachment.message_id,
                ),
            )
            _make_room(connection)
            return _get(connection, attachment.message_id, attachment.part) is not None

        return await self._run(operation)

    async def get(self, message_id: str, part: int) -> Attachment | None:
        """Return a file of a message, if it is here."""
        return await self._run(lambda connection: _get(connection, message_id, part))

    async def list_all(self, correspondent: str = "") -> Sequence[ListedAttachment]:
        """List the files that a correspondent sent, or that all did, the newest first."""
        return await self._run(
            lambda connection: [
                ListedAttachment(
                    attachment=_load(row),
                    correspondent=row["correspondent"],
                    at=datetime.fromtimestamp(row["at"], UTC),
                )
                for row in connection.execute(_LIST, (correspondent,))
            ]
        )

    async def find_types(self, message_ids: Iterable[str]) -> Mapping[str, PartTypes]:
        """Return which parts of some messages are here, and what they are."""
        listed = list(message_ids)
        return await self._run(lambda connection: find_types(connection, listed))

    async def list_blobs(self) -> set[str]:
        """List where the files lie that are known."""
        return await self._run(
            lambda connection: {
                blob for (blob,) in connection.execute("SELECT blob FROM attachment")
            }
        )


def find_types(
    connection: sqlite3.Connection, message_ids: Iterable[str]
) -> dict[str, PartTypes]:
    """Return which parts of some messages are here, and what they are."""
    found: dict[str, PartTypes] = {}
    listed = json.dumps(list(message_ids))
    for message_id, part, kind in connection.execute(_TYPES, (listed,)):
        found.setdefault(message_id, {})[part] = kind
    return found


def _get(
    connection: sqlite3.Connection, message_id: str, part: int
) -> Attachment | None:
    row = connection.execute(
        "SELECT * FROM attachment WHERE message_id = ? AND part = ?", (message_id, part)
    ).fetchone()
    return row and _load(row)


def _load(row: sqlite3.Row) -> Attachment:
    return Attachment(
        message_id=row["message_id"],
        part=row["part"],
        blob=row["blob"],
        content_type=row["content_type"],
        size=row["size"],
    )


def _make_room(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "SELECT message_id, part, size FROM attachment ORDER BY at DESC, message_id, part"
    ).fetchall()
    size, surplus = 0, []
    for index, (message_id, part, each) in enumerate(rows):
        size += each
        if index >= MOST_FILES or size > MOST_BYTES:
            surplus.append((message_id, part))
    connection.executemany(
        "DELETE FROM attachment WHERE message_id = ? AND part = ?", surplus
    )
