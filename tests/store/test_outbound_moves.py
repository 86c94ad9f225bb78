"""What comes at once shares a transaction, as if it had come one by one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import pytest

from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
    InboundMessage,
    RejectReason,
    SentMessage,
)
from custom_components.virtual_sms.store.changes import Received
from custom_components.virtual_sms.store.store import Store, Tally
from tests.fakes import START, Clock, inbound, open_store, outbound, receipt

LATER = START + timedelta(days=9)


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    """Open an empty store."""
    store = await open_store(tmp_path / "store.db", clock)
    yield store
    await store.close()


async def admit(store: Store, *messages: InboundMessage) -> list[str]:
    """Admit messages and return the ids of those that are news."""
    news = await store.inbound.admit(messages, late=False)
    return [each.message.message_id for each in news]


async def add(store: Store, *message_ids: str) -> None:
    """Write messages down."""
    await store.outbound.add([outbound(each) for each in message_ids], START)


async def test_receipts_that_come_together_are_read_in_order(store: Store) -> None:
    """Each moves its message on from the one before, and none is told twice."""
    await add(store, "m", "n")
    for message_id, provider_id in (("m", "P"), ("n", "Q")):
        await store.outbound.accept(message_id, SentMessage(provider_id=provider_id))
    receipts = [
        receipt("P", DeliveryStatus.SENT),
        receipt("Q", DeliveryStatus.FAILED),
        receipt("P", DeliveryStatus.DELIVERED),
        receipt("P", DeliveryStatus.DELIVERED),
        receipt("R", DeliveryStatus.SENT),
    ]
    changes = await asyncio.gather(*map(store.outbound.receive, receipts))
    steps = [each and (each.message_id, each.previous, each.status) for each in changes]
    assert steps == [
        ("m", "queued", "sent"),
        ("n", "queued", "failed"),
        ("m", "sent", "delivered"),
        None,
        None,
    ]
    assert store.tally == Tally(sent=2, segments=2, failed=1, pending=0)
    unpublished = {
        each.message_id: each.status for each in await store.outbound.unpublished()
    }
    assert unpublished == {"m": "delivered", "n": "failed"}


async def test_the_first_of_some_receipts_names_the_message(store: Store) -> None:
    """The others know it by the provider's id then, and nobody can give it another."""
    await add(store, "m")
    receipts = [
        receipt("P", DeliveryStatus.SENT, message_id="m"),
        receipt("Q", DeliveryStatus.FAILED, message_id="m"),
        receipt("P", DeliveryStatus.UNDELIVERED, reason=RejectReason.OPTED_OUT),
    ]
    changes = await asyncio.gather(*map(store.outbound.receive, receipts))
    steps = [
        each and (each.provider_id, each.previous, each.status) for each in changes
    ]
    assert steps == [("P", "queued", "sent"), None, ("P", "sent", "undelivered")]
    assert store.tally == Tally(sent=1, segments=1, failed=1, pending=0)
    assert store.consent.stopped == {outbound("m").recipient}


async def test_a_message_that_comes_twice_at_once_is_one(store: Store) -> None:
    """A callback and a poll may bring it at the same moment."""
    both = await asyncio.gather(
        admit(store, inbound("a"), inbound("b")),
        admit(store, inbound("b"), inbound("c")),
    )
    assert both == [["a", "b"], ["c"]]
    assert store.tally.received == 3


async def test_an_id_is_known_however_old_its_message_is(
    store: Store, clock: Clock
) -> None:
    """A late status finds it, and no message of another day is given it as well."""
    for number in range(4):
        message = outbound(f"m{number}", created_at=clock())
        await store.outbound.add([message], LATER)
        sent = SentMessage(provider_id=f"P{number}")
        await store.outbound.accept(message.message_id, sent)
        clock.advance(86_400)
    await store.outbound.add([outbound("n", created_at=clock())], LATER)
    for number in range(4):
        sent = SentMessage(provider_id=f"P{number}", status=DeliveryStatus.SENT)
        late = receipt(sent.provider_id, DeliveryStatus.SENT)
        assert await store.outbound.is_claimed(sent.provider_id)
        assert await store.outbound.expects(late)
        assert await store.outbound.accept("n", sent) == []
        change = await store.outbound.receive(late)
        assert change is not None
        assert change.message_id == f"m{number}"
    assert not await store.outbound.is_claimed("P")
    assert await store.outbound.accept("n", replace(sent, provider_id="P"))


async def test_an_id_is_given_once_also_at_once(store: Store) -> None:
    """Two messages cannot both be what the provider calls by one id."""
    await add(store, "m", "n")
    sent = SentMessage(provider_id="P", status=DeliveryStatus.SENT)
    first, second = await asyncio.gather(
        store.outbound.accept("m", sent), store.outbound.accept("n", sent)
    )
    assert [each.message_id for each in first] == ["m"]
    assert second == []
    assert store.tally == Tally(sent=1, segments=1, pending=2)


async def test_a_burst_takes_few_statements(store: Store) -> None:
    """For one, and for 32 more: at each statement the threads wait for each other."""
    names = [f"m{number}" for number in range(33)]
    counts: dict[str, list[int]] = {}

    async def count(what: str, do: Callable[[str], Awaitable[object]]) -> None:
        statements: list[str] = []
        connection = store._database._connection
        assert connection is not None
        connection.set_trace_callback(statements.append)
        counts[what] = []
        for some in (names[:1], names[1:]):
            statements.clear()
            await asyncio.gather(*map(do, some))
            # One that sets off triggers is traced once for each of them.
            counts[what].append(len(list(groupby(statements))))
        connection.set_trace_callback(None)

    records = store.outbound
    await count("admit", lambda each: admit(store, inbound(each)))
    await count(
        "note",
        lambda each: store.note_published(
            [Received(message=inbound(each), late=False)]
        ),
    )
    await count("add", lambda each: add(store, each))
    await count(
        "accept", lambda each: records.accept(each, SentMessage(provider_id=each))
    )
    await count("receive", lambda each: records.receive(receipt(each)))
    assert counts == {
        "admit": [6, 37],
        "note": [1, 1],
        "add": [4, 35],
        "accept": [5, 67],
        "receive": [5, 5],
    }
