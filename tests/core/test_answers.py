"""Answers of our own end before a conversation of two machines becomes dear."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from custom_components.virtual_sms.core.answers import Answers
from custom_components.virtual_sms.store.store import Store
from tests.fakes import NUMBER, Clock, open_store

ANNA, BEN = "+33612345678", "+33687654321"


@pytest.fixture
def clock() -> Clock:
    """Hold the time still."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store lives."""
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path, clock: Clock) -> AsyncIterator[Store]:
    """Open an empty store."""
    store = await open_store(path, clock)
    yield store
    await store.close()


@pytest.fixture
def answers(store: Store) -> Answers:
    """Answer from a line of a home."""
    return Answers(store.answers, lambda: {NUMBER.number})


@pytest.mark.parametrize(
    "correspondent", ["MyBank", "12345", "", NUMBER.number, "+123", "0612345678"]
)
async def test_what_is_no_persons_phone_gets_no_answer(
    answers: Answers, correspondent: str
) -> None:
    """Names, short codes and lines of this home never do."""
    assert not await answers.may_answer(correspondent)


async def test_five_answers_in_ten_minutes(answers: Answers, clock: Clock) -> None:
    """Per correspondent; when the first is ten minutes old, there is room for one."""
    assert await answers.may_answer(ANNA)
    clock.advance(60)
    for _ in range(4):
        assert await answers.may_answer(ANNA)
    assert not await answers.may_answer(ANNA)
    assert await answers.may_answer(BEN)
    clock.advance(539)
    assert not await answers.may_answer(ANNA)
    clock.advance(1)
    assert await answers.may_answer(ANNA)
    assert not await answers.may_answer(ANNA)


async def test_a_burst_of_answers(answers: Answers) -> None:
    """Those that are asked for at once are counted one by one."""
    asked = await asyncio.gather(*(answers.may_answer(ANNA) for _ in range(50)))
    assert asked.count(True) == 5


@pytest.mark.parametrize("step", [-86400, 0, 86400])
async def test_answers_are_counted_over_restarts(
    store: Store, path: Path, clock: Clock, step: float
) -> None:
    """And whatever the home's clock does meanwhile, while we run."""
    for _ in range(5):
        assert await store.answers.take(ANNA)
    clock.step(step)
    assert not await store.answers.take(ANNA)
    await store.outbound.note_clock()
    await store.close()
    again = await open_store(path, clock)
    assert not await again.answers.take(ANNA)
    await again.close()


async def test_a_clock_that_was_ahead_closes_nothing_for_long(
    store: Store, path: Path, clock: Clock
) -> None:
    """Put right while the home is off, it leaves times that are yet to come."""
    clock.step(86400)
    await store.close()
    wrong = await open_store(path, clock)
    for _ in range(5):
        await wrong.answers.take(ANNA)
    await wrong.close()
    clock.step(-86400)
    right = await open_store(path, clock)
    assert await right.answers.take(ANNA)
    await right.close()
