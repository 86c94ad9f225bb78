"""Anyone may call, any number of times: few questions answer all of them."""

import asyncio
from collections.abc import Callable
import random
from types import SimpleNamespace

import pytest

from custom_components.virtual_sms.adapters.errors import (
    InvalidResponseError,
    ProviderUnavailableError,
)
from custom_components.virtual_sms.adapters.models import (
    DeliveryReceipt,
    Event,
    InboundMessage,
)
from custom_components.virtual_sms.core import (
    confirmation_queue as confirmation_queue_module,
)
from custom_components.virtual_sms.core.confirmation_queue import (
    BURST,
    REFILL,
    ConfirmationQueue,
)
from custom_components.virtual_sms.store.database import DatabaseClosedError
from tests.fakes import Clock, inbound, make_dependencies, receipt

REST = asyncio.sleep


class Home:
    """An account whose provider knows some messages, and a clock for it."""

    def __init__(self) -> None:
        self.time = 0.0
        self.record: set[str] = set()
        self.known: set[str] = set()
        self.looked_up: list[str] = []
        self.asked_at: list[float] = []
        self.readings: list[float] = []
        self.later = 0
        self.trouble: Exception | None = None
        self.appears: Callable[[], None] = lambda: None
        self.tasks: list[asyncio.Task[object]] = []

    async def sleep(self, seconds: float) -> None:
        """Let time go by at once."""
        await REST(0)
        self.time += seconds
        self.appears()

    async def confirm(self, event: Event, may_ask: Callable[[], bool]) -> bool:
        """Ask for one that the store does not know."""
        await REST(0)
        if _id(event) in self.known:
            return True
        if not may_ask():
            return False
        self.asked_at.append(self.time)
        self.looked_up.append(_id(event))
        await REST(0)
        if self.trouble:
            raise self.trouble
        self.known |= {_id(event)} & self.record
        return _id(event) in self.record

    async def catch_up(self) -> None:
        """Ask for all."""
        self.readings.append(self.time)
        await REST(0)
        if self.trouble:
            raise self.trouble
        self.known |= self.record

    def catch_up_soon(self) -> None:
        """Be asked to try again."""
        self.later += 1

    async def rest(self) -> None:
        """Wait until every callback was looked up, and let none fail."""
        while self.tasks:
            await self.tasks.pop()


def _id(event: Event) -> str:
    match event:
        case InboundMessage():
            return event.message_id
        case DeliveryReceipt():
            return event.provider_id


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Home:
    """Make a home whose time costs none."""
    home = Home()
    monkeypatch.setattr(
        confirmation_queue_module, "asyncio", SimpleNamespace(sleep=home.sleep)
    )
    clock = SimpleNamespace(monotonic=lambda: home.time)
    monkeypatch.setattr(confirmation_queue_module, "time", clock)
    return home


@pytest.fixture
def confirmation_queue(home: Home) -> ConfirmationQueue:
    """Make its queue."""
    world = make_dependencies(Clock())

    def spawn(target: object, name: str) -> asyncio.Task[object]:
        task = world.spawn(target, name)  # type: ignore[arg-type]
        home.tasks.append(task)
        return task

    return ConfirmationQueue(home.confirm, home.catch_up, home.catch_up_soon, spawn)


async def test_a_callback_is_looked_up(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """One question finds one message, and nothing is read beyond it."""
    home.record = {"a", "P"}
    confirmation_queue.add(inbound("a"))
    confirmation_queue.add(receipt("P"))
    await home.rest()

    assert home.looked_up == ["a", "P"]
    assert home.readings == []
    assert home.time == 0


async def test_a_callback_that_cannot_be_read_keeps_no_other_waiting(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """A reading of the history sets it aside, and answers the others."""
    home.record = {"b"}
    home.trouble = InvalidResponseError()
    home.appears = lambda: setattr(home, "trouble", None)
    confirmation_queue.add(inbound("a"))
    confirmation_queue.add(inbound("b"))
    await home.rest()
    assert home.known == {"b"}
    assert len(home.readings) == 1
    assert home.later == 0


async def test_ids_of_two_kinds_do_not_clash(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """A receipt is not taken for a message of the same id."""
    home.record = {"1"}
    confirmation_queue.add(inbound("1"))
    confirmation_queue.add(receipt("1"))
    confirmation_queue.add(inbound("1"))
    await home.rest()
    assert home.looked_up == ["1"]
    home.known.clear()
    home.looked_up.clear()
    confirmation_queue.add(receipt("1"))
    await home.rest()
    assert home.looked_up == ["1"]


async def test_what_is_known_costs_no_question(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """However often an old message is named."""
    home.known = {"a"}
    for _ in range(1000):
        confirmation_queue.add(inbound("a"))
        await REST(0)
    await home.rest()
    assert home.looked_up == []
    assert home.readings == []


async def test_a_callback_may_come_too_early(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """What the provider's record does not show yet is found a little later."""

    def appear() -> None:
        home.record.add("a")

    home.appears = appear
    confirmation_queue.add(inbound("a"))
    await home.rest()

    assert home.looked_up == ["a"]
    assert home.readings == [REFILL]
    assert home.known == {"a"}


@pytest.mark.parametrize("position", [0, 5000, 9999])
async def test_a_flood(
    home: Home, confirmation_queue: ConfirmationQueue, position: int
) -> None:
    """Ten thousand forgeries cost a handful of questions, and hide no message."""
    chance = random.Random(position)
    home.record = {"real"}
    for number in range(10_000):
        name = "real" if number == position else f"{chance.getrandbits(64)}"
        confirmation_queue.add(inbound(name))
    await home.rest()

    assert home.known == {"real"}
    assert len(home.looked_up) + len(home.readings) <= BURST + 1


async def test_a_flood_that_lasts(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """Over an hour, the questions are bounded by the bucket and its refill."""
    home.record = {"real"}
    number = 0
    while home.time < 3600:
        for _ in range(50):
            number += 1
            confirmation_queue.add(inbound(f"forged {number}"))
        await REST(0)
        if number == 5_000:
            confirmation_queue.add(inbound("real"))
    await home.rest()

    assert number >= 10_000
    assert "real" in home.known
    questions = len(home.looked_up) + len(home.readings)
    assert questions <= 2 * home.time / REFILL + BURST


async def test_real_messages_in_a_burst(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """More real messages at once than there are tokens are all found."""
    names = [f"m{number}" for number in range(500)]
    home.record = set(names)
    for name in names:
        confirmation_queue.add(inbound(name))
        await REST(0)
    await home.rest()

    assert home.known == home.record
    assert len(home.looked_up) <= BURST + home.time / REFILL
    assert len(home.readings) <= 2


async def test_one_callback_too_many(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """Callbacks that find no room are not kept, yet answered by a reading of all."""
    names = [f"m{number}" for number in range(BURST + 1)]
    home.record = set(names)
    for name in names:
        confirmation_queue.add(inbound(name))
    assert len(confirmation_queue._waiting) == BURST
    await home.rest()

    assert home.known == home.record
    assert home.readings == [REFILL]


async def test_a_burst_spread_over_time(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """Once no token is left, a reading of everything takes over."""
    for number in range(BURST + 5):
        home.record.add(f"m{number}")
        confirmation_queue.add(inbound(f"m{number}"))
        await home.rest()

    assert home.known == home.record
    assert len(home.looked_up) == BURST + 2
    assert home.readings == [REFILL, 2 * REFILL, 3 * REFILL]


@pytest.mark.parametrize("overflows", [False, True])
async def test_a_provider_that_is_down(
    home: Home, confirmation_queue: ConfirmationQueue, overflows: bool
) -> None:
    """Nothing is raised; the provider is asked later, and the queue still works."""
    home.trouble = ProviderUnavailableError("down")
    home.record = {"a", "b"}
    for number in range(BURST * 2 if overflows else 1):
        confirmation_queue.add(inbound(f"m{number}"))
    await home.rest()
    assert home.later == 1

    home.trouble = None
    confirmation_queue.add(inbound("a"))
    await home.rest()
    assert "a" in home.known


async def test_an_error_of_ours_does_not_stop_it(
    home: Home, confirmation_queue: ConfirmationQueue
) -> None:
    """It is logged, the provider is asked later, and the next is looked up."""
    home.trouble = ZeroDivisionError()
    confirmation_queue.add(inbound("a"))
    await home.rest()
    assert home.later == 1
    home.trouble = None
    home.record = {"b"}
    confirmation_queue.add(inbound("b"))
    await home.rest()
    assert home.known == {"b"}


async def test_a_line_that_closes_is_no_trouble(
    home: Home, confirmation_queue: ConfirmationQueue, caplog: pytest.LogCaptureFixture
) -> None:
    """What came is in the provider's record, which is read when the line opens."""
    home.trouble = DatabaseClosedError()  # type: ignore[assignment]
    confirmation_queue.add(inbound("a"))
    await home.rest()
    assert "ERROR" not in caplog.text
