"""Files that came in: fetched once, kept by what is in them, gone with their message."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import override

import pytest

from custom_components.virtual_sms.adapters.errors import ProviderUnavailableError
from custom_components.virtual_sms.adapters.models import InboundMessage, Media
from custom_components.virtual_sms.core.attachments import LARGEST, Attachments
from custom_components.virtual_sms.core.line import Line
from custom_components.virtual_sms.store.blobs import BlobFolder
from custom_components.virtual_sms.store.store import Store
from tests.fakes import (
    NUMBER,
    Clock,
    FakeAdapter,
    inbound,
    make_dependencies,
    open_store,
    outbound,
    run_inline,
)

GIF = b"GIF89a"


class Files(FakeAdapter):
    """A provider that has files, by their address."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    @override
    async def fetch_media(self, media: Media, most: int) -> bytes:
        assert most == LARGEST
        self.asked.append(media.url)
        await asyncio.sleep(0)
        if media.url not in self.files:
            raise ProviderUnavailableError("down")
        return self.files[media.url]


@pytest.fixture
def adapter() -> Files:
    """Make a provider."""
    return Files(Clock())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Open a store that keeps conversations."""
    clock = Clock()
    store = await open_store(tmp_path / "store.db", clock)
    await store.conversations.keep(30, clock())
    yield store
    await store.close()


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    """Return where the files lie."""
    return BlobFolder(tmp_path / "files")


@pytest.fixture
def attachments(adapter: Files, store: Store, folder: BlobFolder) -> Attachments:
    """Make the files of a line."""
    line = Line(number=NUMBER, adapter=adapter)
    spawn = make_dependencies(Clock()).spawn
    return Attachments(line, store, folder, run_inline, spawn)


async def receive(store: Store, *urls: str) -> InboundMessage:
    """Take in a message with files."""
    media = tuple(Media(url=each, content_type="text/html") for each in urls)
    message = replace(inbound("a"), media=media)
    await store.inbound.admit([message], late=False)
    return message


async def test_what_comes_in_is_fetched(
    attachments: Attachments, adapter: Files, store: Store
) -> None:
    """All of it, each once, though others ask for it meanwhile; and then no more."""
    adapter.files = {"u0": GIF, "u1": GIF + b"1", "u2": b"<html>"}
    attachments.fetch_all(await receive(store, "u0", "gone", "u1", "u2"))
    found = await attachments.obtain("a", 0)
    assert found is not None
    assert found.content_type == "image/gif"
    assert await attachments.read(found) == GIF
    assert await attachments.obtain("a", 1) is None
    assert await attachments.obtain("a", 2) is not None
    assert await attachments.obtain("a", 3) is None
    assert adapter.asked.count("u0") == 1
    attachments.fetch_all(await receive(store, "u0"))
    await attachments.obtain("a", 0)
    assert adapter.asked.count("u0") == 1


async def test_what_was_missing_is_fetched_when_it_is_wanted(
    attachments: Attachments, adapter: Files, store: Store
) -> None:
    """A provider that is down keeps nothing for ever."""
    await receive(store, "late")
    assert await attachments.obtain("a", 0) is None
    adapter.files["late"] = GIF
    assert await attachments.obtain("a", 0) is not None


async def test_only_files_of_messages_that_came_in_are_fetched(
    attachments: Attachments, adapter: Files, store: Store
) -> None:
    """None of unknown messages, of ours, or beyond what a message has."""
    await receive(store, *(f"u{part}" for part in range(12)))
    sent = replace(outbound("ours"), media=("u0",))
    await store.outbound.add([sent], sent.created_at)
    for message_id, part in (("gone", 0), ("ours", 0), ("a", 10), ("a", 12), ("a", -1)):
        assert await attachments.obtain(message_id, part) is None
    assert adapter.asked == []


async def test_files_without_message_are_deleted(
    attachments: Attachments, adapter: Files, store: Store, folder: BlobFolder
) -> None:
    """The others stay."""
    adapter.files = {"u0": GIF}
    await receive(store, "u0")
    found = await attachments.obtain("a", 0)
    assert found is not None
    folder.put(b"nobody's")
    await attachments.tidy()
    assert [each.name for each in folder.path.iterdir()] == [found.blob]
    await store.conversations.forget(["+33612345678"])
    await attachments.tidy()
    assert not folder.path.exists()
    assert await attachments.read(found) is None


async def test_what_was_sent_is_kept_with_its_message(
    attachments: Attachments, adapter: Files, store: Store, folder: BlobFolder
) -> None:
    """It is not among what came in; a disk that fails stops nobody."""
    sent = outbound("ours")
    await store.outbound.add([sent], sent.created_at)
    await attachments.keep("ours", 0, GIF)
    await attachments.keep("ours", 1, b"<html>")
    assert await store.attachments.find_types(["ours", "gone"]) == {
        "ours": {0: "image/gif"}
    }
    assert await store.attachments.list_all() == []
    found = await attachments.obtain("ours", 0)
    assert found is not None
    folder.erase()
    folder.path.touch()
    await attachments.keep("ours", 2, GIF + b"2")
    assert await attachments.obtain("ours", 2) is None
    assert adapter.asked == []


async def test_a_file_is_promised_while_its_message_is_sent(
    attachments: Attachments, store: Store
) -> None:
    """Whoever asks for it early gets it once it is kept, or nothing if it never is."""
    sent = outbound("ours")
    await store.outbound.add([sent], sent.created_at)
    with attachments.promise(["ours", "other"], {0: "image/gif"}):
        assert attachments.add_promised("ours", {}) == {0: "image/gif"}
        assert attachments.add_promised("third", {1: "image/png"}) == {1: "image/png"}
        early = [
            asyncio.ensure_future(attachments.obtain(each, 0))
            for each in ("ours", "other")
        ]
        await asyncio.sleep(0.05)
        assert not any(each.done() for each in early)
        await attachments.keep("ours", 0, GIF)
    ours, other = await asyncio.gather(*early)
    assert ours is not None
    assert other is None
    assert attachments.add_promised("ours", {}) == {}
