"""A flood waits for the rest of the home, and nobody else does."""

import asyncio

from custom_components.virtual_sms.core.flood_gate import FloodGate


async def forge(gate: FloodGate, number: int, entered: list[int]) -> None:
    """Come in and turn out to be a forgery."""
    await gate.enter()
    entered.append(number)
    gate.note_forgery()


async def count_rounds(entered: list[int], until: int) -> list[int]:
    """Return how many came in between the rounds of the event loop."""
    rounds = []
    while len(entered) < until:
        before = len(entered)
        await asyncio.sleep(0)
        rounds.append(len(entered) - before)
    return rounds


async def test_one_comes_in_at_a_time_and_in_their_order() -> None:
    """No round brings more than one, and at most every other is wasted."""
    gate, entered = FloodGate(), list[int]()
    flood = [asyncio.create_task(forge(gate, each, entered)) for each in range(20)]
    rounds = await count_rounds(entered, 20)
    await asyncio.gather(*flood)
    assert max(rounds) == 1
    assert len(rounds) <= 2 * 20
    assert entered == list(range(20))


async def test_nobody_waits_without_a_forgery() -> None:
    """Who is authentic comes in at once, however many there are."""
    gate = FloodGate()
    for _ in range(50):
        async with asyncio.timeout(0):
            await gate.enter()


async def test_who_hangs_up_keeps_nobody_waiting() -> None:
    """The next one has the turn, and at the end the gate is open."""
    gate, entered = FloodGate(), list[int]()
    flood = [asyncio.create_task(forge(gate, each, entered)) for each in range(9)]
    await asyncio.sleep(0)
    flood[4].cancel()
    await asyncio.gather(*flood, return_exceptions=True)
    assert entered == [0, 1, 2, 3, 5, 6, 7, 8]
    await asyncio.sleep(0)
    async with asyncio.timeout(0):
        await gate.enter()
