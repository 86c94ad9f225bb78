"""What a memory card wears by: how many pages each message writes."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from custom_components.virtual_sms.adapters.models import SentMessage
from custom_components.virtual_sms.store.store import Store
from tests.fakes import START, Clock, inbound, open_store, outbound

FRAME = 24 + 1024
FEW = 12


async def send(store: Store, number: int) -> None:
    """Write a message down, then that it was accepted, then that this was published."""
    message_id = f"{number:032}"
    changes = await store.outbound.add(
        [outbound(message_id)], START + timedelta(hours=1)
    )
    sent = SentMessage(provider_id=f"SM{number * 7919 % 9973:032x}")
    changes += await store.outbound.accept(message_id, sent)
    await store.note_published(changes)


async def receive(store: Store, number: int) -> None:
    """Take a message in, and note that it was published."""
    message = inbound(f"SM{number * 7919 % 9973:032x}", at=number)
    await store.note_published(await store.inbound.admit([message], late=False))


@pytest.mark.parametrize(("act", "most"), [(send, 12.5), (receive, 7.5)])
async def test_a_message_writes_few_pages(
    tmp_path: Path, act: Callable[[Store, int], Awaitable[None]], most: float
) -> None:
    """Each table and each index that it stands in is a page, and is counted here."""
    path = tmp_path / "store.db"
    store = await open_store(path, Clock())
    await store.conversations.keep(30, START)
    log = path.with_name("store.db-wal")
    for number in range(FEW):
        await act(store, number)
    before = log.stat().st_size
    for number in range(FEW, 2 * FEW):
        await act(store, number)
    pages = (log.stat().st_size - before) / FRAME / FEW
    await store.close()
    assert pages <= most
