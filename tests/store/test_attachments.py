"""Files of messages: they are kept with them, and go with them."""

from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
import sqlite3

import pytest

from custom_components.virtual_sms.store import attachments as module
from custom_components.virtual_sms.store.attachments import Attachment
from custom_components.virtual_sms.store.store import Store
from tests.fakes import Clock, inbound, open_store

SENDER = "+33612345678"


def attachment(message_id: str = "a", part: int = 0, *, size: int = 10) -> Attachment:
    """Make a file of a message."""
    return Attachment(
        message_id=message_id,
        part=part,
        blob=f"{message_id}{part}".encode().hex().ljust(64, "0"),
        content_type="image/png",
        size=size,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store lives."""
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """Open a store with two messages that are kept for 30 days."""
    clock = Clock()
    store = await open_store(path, clock)
    await store.conversations.keep(30, clock())
    await store.inbound.admit([inbound("a"), inbound("b", at=60)], late=False)
    yield store
    await store.close()


async def listed(store: Store, correspondent: str = "") -> list[tuple[str, int]]:
    """List the files, the newest first."""
    found = await store.attachments.list_all(correspondent)
    return [(each.attachment.message_id, each.attachment.part) for each in found]


async def test_a_file_is_found_with_its_message(store: Store) -> None:
    """By its part; once, however often it is added."""
    for part in (0, 3, 3):
        assert await store.attachments.add(attachment(part=part))
    assert await store.attachments.add(attachment("b"))
    assert await store.attachments.get("a", 3) == attachment(part=3)
    assert await store.attachments.get("a", 1) is None
    assert await listed(store) == [("b", 0), ("a", 0), ("a", 3)]
    assert await listed(store, SENDER) == await listed(store)
    assert await listed(store, "+33699999999") == []
    assert len(await store.attachments.list_blobs()) == 3


async def test_a_file_of_no_message_is_not_kept(store: Store) -> None:
    """As that of a message that is not kept, or is gone."""
    assert not await store.attachments.add(attachment("gone"))
    assert await listed(store) == []


async def test_files_go_with_their_messages(store: Store) -> None:
    """Whatever deletes those."""
    await store.attachments.add(attachment())
    await store.conversations.forget([SENDER])
    assert await listed(store) == []
    assert await store.attachments.list_blobs() == set()


async def test_old_files_go_with_old_messages(store: Store) -> None:
    """After the days for which they are kept."""
    await store.attachments.add(attachment())
    await store.attachments.add(attachment("b"))
    await store.conversations.keep(30, Clock()() + timedelta(days=30, seconds=30))
    assert await listed(store) == [("b", 0)]


async def test_files_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in bytes: the oldest make room."""
    monkeypatch.setattr(module, "MOST_FILES", 2)
    assert await store.attachments.add(attachment())
    assert await store.attachments.add(attachment("b"))
    assert await store.attachments.add(attachment("b", 1))
    assert await listed(store) == [("b", 0), ("b", 1)]
    assert not await store.attachments.add(attachment())
    monkeypatch.setattr(module, "MOST_BYTES", 25)
    assert not await store.attachments.add(attachment("b", 1, size=20))
    assert await listed(store) == [("b", 0)]


async def test_nonsense_of_a_damaged_file_is_dropped(path: Path, store: Store) -> None:
    """A name that leads elsewhere above all."""
    await store.attachments.add(attachment())
    await store.close()
    rows = [
        ("a", 1, "../../secrets.yaml", "image/png", 1, 1.0),
        ("a", 2, "f" * 63 + "/", "image/png", 1, 1.0),
        ("a", "x", "f" * 64, "image/png", 1, 1.0),
        ("a", 3, "f" * 64, "image/png", "x", 1.0),
        ("a", 4, "f" * 64, "image/png", 1, "x"),
        ("gone", 5, "f" * 64, "image/png", 1, 1.0),
    ]
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany("INSERT INTO attachment VALUES (?,?,?,?,?,?)", rows)
        connection.commit()
    path.with_suffix(".suspect").touch()
    again = await open_store(path, Clock())
    assert await listed(again) == [("a", 0)]
    await again.close()
