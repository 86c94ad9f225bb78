"""Keep the files of messages as long as these, and fetch those that came in."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import logging
from typing import Final

from ..adapters.base import RunBlocking
from ..adapters.errors import SmsError
from ..adapters.models import InboundMessage, Media
from ..store.attachments import Attachment, PartTypes
from ..store.blobs import BlobFolder
from ..store.database import CANNOT_WRITE
from ..store.store import Store
from .content_type import find_content_type
from .line import Line, Spawn

_LOGGER = logging.getLogger(__name__)

LARGEST: Final = 5_000_000
"""Bytes of a file that is fetched."""
MOST_PARTS: Final = 10
_AT_ONCE: Final = 2
_CANNOT_KEEP = (*CANNOT_WRITE, SmsError)

type _Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Promise:
    """The files that a message being sent will have, and whether that is decided."""

    kinds: PartTypes
    kept: asyncio.Event = field(default_factory=asyncio.Event)


class Attachments:
    """The files of the messages of a line."""

    def __init__(
        self,
        line: Line,
        store: Store,
        folder: BlobFolder,
        run_blocking: RunBlocking,
        spawn: Spawn,
    ) -> None:
        """Take the line, its store, and the folder of its files."""
        self._line = line
        self._store = store
        self._folder = folder
        self._run_blocking = run_blocking
        self._spawn = spawn
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._writing = asyncio.Lock()
        self._under_way: dict[_Key, asyncio.Task[object]] = {}
        self._promises: dict[str, _Promise] = {}

    def fetch_all(self, message: InboundMessage) -> None:
        """Begin to fetch what came with a message; one that is missing keeps no other."""
        for part in range(min(len(message.media), MOST_PARTS)):
            self._begin(message.message_id, part)

    async def obtain(self, message_id: str, part: int) -> Attachment | None:
        """Return a file, which is fetched if it is not here yet.

        None if it cannot be had: it is gone, none of ours, or no file that is kept.
        """
        if promise := self._promises.get(message_id):
            await promise.kept.wait()
        found = await self._store.attachments.get(message_id, part)
        if found is None:
            await asyncio.wait([self._begin(message_id, part)])
            found = await self._store.attachments.get(message_id, part)
        return found

    @contextmanager
    def promise(self, message_ids: Collection[str], kinds: PartTypes) -> Iterator[None]:
        """Count the files of messages as kept while these are sent and the files kept."""
        promises = {each: _Promise(kinds) for each in message_ids}
        self._promises |= promises
        try:
            yield
        finally:
            for message_id, promise in promises.items():
                self._promises.pop(message_id, None)
                promise.kept.set()

    def add_promised(self, message_id: str, kept: PartTypes) -> PartTypes:
        """Return the files of a message: those that are kept, and that will be."""
        promise = self._promises.get(message_id)
        return {**promise.kinds, **kept} if promise else kept

    async def read(self, attachment: Attachment) -> bytes | None:
        """Return what is in a file; None if it is gone."""
        return await self._run_blocking(self._folder.get, attachment.blob)

    async def keep(self, message_id: str, part: int, data: bytes) -> None:
        """Keep a file of a message; what keeps it from that is no reason to stop."""
        try:
            await self._keep(message_id, part, data)
        except _CANNOT_KEEP as err:
            _LOGGER.warning("An attachment is not kept: %s", type(err).__name__)

    async def tidy(self) -> None:
        """Delete the files whose message is gone."""
        async with self._writing:
            blobs = await self._store.attachments.list_blobs()
            await self._run_blocking(self._folder.keep, blobs)

    def _begin(self, message_id: str, part: int) -> asyncio.Task[object]:
        """Fetch a file, once for all who want it."""
        key = message_id, part
        if key not in self._under_way:
            task = self._spawn(self._fetch(message_id, part), "attachment")
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return self._under_way[key]

    async def _fetch(self, message_id: str, part: int) -> None:
        """Fetch a file and keep it; what is wrong with it is no reason to stop."""
        try:
            media = await self._find(message_id, part)
            if media is not None:
                async with self._slots:
                    data = await self._line.adapter.fetch_media(media, LARGEST)
                await self._keep(message_id, part, data)
        except _CANNOT_KEEP as err:
            _LOGGER.warning("An attachment is not kept: %s", type(err).__name__)

    async def _find(self, message_id: str, part: int) -> Media | None:
        """Return where a file of a message lies that is kept and not here yet."""
        message = await self._store.conversations.get(message_id)
        if message is None or not message.is_inbound:
            return None
        if not 0 <= part < min(len(message.media), MOST_PARTS):
            return None
        known = await self._store.attachments.get(message_id, part)
        return message.media[part] if known is None else None

    async def _keep(self, message_id: str, part: int, data: bytes) -> None:
        kind = find_content_type(data)
        if kind is None:
            _LOGGER.info("An attachment is not kept: it is no file that is shown")
            return
        async with self._writing:
            blob = await self._run_blocking(self._folder.put, data)
            await self._store.attachments.add(
                Attachment(
                    message_id=message_id,
                    part=part,
                    blob=blob,
                    content_type=kind,
                    size=len(data),
                )
            )
