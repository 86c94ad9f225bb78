"""What messages cost: each counts once, in its month, however late its price comes."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.adapters.costs import Cost
from custom_components.virtual_sms.adapters.models import (
    DeliveryReceipt,
    DeliveryStatus,
    SentMessage,
)
from custom_components.virtual_sms.store.changes import Progress
from custom_components.virtual_sms.store.store import MonthCost, Store
from tests.fakes import START, Clock, open_store, outbound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from custom_components.virtual_sms.store.changes import StatusChanged

CENT = Cost(10_000, "USD")
MONTH = f"{START:%Y-%m}"


@pytest.fixture
def clock() -> Clock:
    """Have a clock that a test turns."""
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    """Open a store in which a message was accepted."""
    store = await open_store(tmp_path / "store.db", clock)
    await store.outbound.add([outbound("m")], START + timedelta(hours=1))
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    yield store
    await store.close()


async def say(
    store: Store, cost: Cost | None, status: DeliveryStatus = DeliveryStatus.DELIVERED
) -> StatusChanged | None:
    """Have the provider say what the message has cost."""
    receipt = DeliveryReceipt(provider_id="P", status=status, cost=cost)
    return await store.outbound.receive(receipt)


async def test_a_price_counts_once(store: Store) -> None:
    """Said again it changes nothing, and corrected it counts by the difference."""
    change = await say(store, CENT)
    assert change is not None
    assert change.cost == CENT
    assert await say(store, CENT) is None
    assert store.tally.costs == (MonthCost(MONTH, CENT),)
    assert await say(store, Cost(30_000, "USD")) is None
    assert store.tally.costs == (MonthCost(MONTH, Cost(30_000, "USD")),)
    await say(store, None)
    assert store.tally.costs == (MonthCost(MONTH, Cost(30_000, "USD")),)


async def test_segments_count_when_they_are_accepted(store: Store) -> None:
    """Once, as the message took them."""
    assert store.tally.segments == 1
    await store.outbound.accept("m", SentMessage(provider_id="P"))
    assert store.tally.segments == 1


async def test_credits_have_no_currency(store: Store) -> None:
    """They are counted apart from money."""
    await store.outbound.add([outbound("n")], START + timedelta(hours=1))
    [change] = await store.outbound.accept(
        "n",
        SentMessage(provider_id="Q", status=DeliveryStatus.SENT, cost=Cost(1_000_000)),
    )
    assert change.cost == Cost(1_000_000)
    await say(store, CENT)
    assert set(store.tally.costs) == {
        MonthCost(MONTH, Cost(1_000_000)),
        MonthCost(MONTH, CENT),
    }


async def test_a_price_counts_in_the_month_of_sending(
    store: Store, clock: Clock
) -> None:
    """By the home's calendar, also when it becomes known in the next month."""
    store.outbound.name_month = lambda time: f"month of {time:%d}"
    clock.advance(timedelta(days=20).total_seconds())
    await say(store, CENT)
    assert store.tally.costs == (MonthCost(f"month of {START:%d}", CENT),)


async def test_a_late_price_is_asked_for(store: Store, clock: Clock) -> None:
    """With growing pauses, for a day at least, and then no more."""
    asked: list[datetime] = []
    for _ in range(3 * 24 * 60):
        if await store.outbound.unpriced(20):
            asked.append(clock())
        clock.advance(60)
    pauses = [
        after - before for before, after in zip([START, *asked], asked, strict=False)
    ]
    assert pauses == sorted(pauses)
    assert asked[0] - START == timedelta(minutes=1)
    assert timedelta(days=1) <= asked[-1] - START < timedelta(days=2)
    assert len(asked) < 20


async def test_what_never_left_has_no_price(store: Store, clock: Clock) -> None:
    """Nothing is asked about it, and nothing looks at it any more."""
    await store.outbound.add([outbound("n")], START + timedelta(hours=1))
    await store.outbound.move("n", Progress(status=DeliveryStatus.FAILED))
    clock.advance(3600)
    assert await store.outbound.unpriced(20) == ["P"]
    rows = await store.outbound._run(
        lambda connection: connection.execute(
            "SELECT message_id FROM outbound INDEXED BY outbound_open"
            " WHERE open OR price_due_at IS NOT NULL"
        ).fetchall()
    )
    assert [message_id for (message_id,) in rows] == ["m"]


async def test_a_known_price_is_not_asked_for(store: Store, clock: Clock) -> None:
    """Nor is one of a message that the provider does not have."""
    await store.outbound.add([outbound("n")], datetime.now(UTC))
    await say(store, CENT)
    clock.advance(3600)
    assert await store.outbound.unpriced(20) == []
