"""What goes beside the messages is asked for by itself, and fails by itself."""

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from custom_components.virtual_sms.adapters.errors import (
    InvalidResponseError,
    RateLimitedError,
)
from custom_components.virtual_sms.core.side_question import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    SideQuestion,
)
from custom_components.virtual_sms.store.database import DatabaseClosedError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Provider:
    """Answers, unless it has an error to raise; its clock goes on by hand."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.time = 0.0
        self.asked = 0

    async def answer(self) -> int:
        """Answer a question."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.asked

    def wait_for(self, question: SideQuestion) -> float:
        """Let time go by until it is asked again, and return how long that took."""
        start = self.time
        while not question.is_due:
            self.time += 1
        return self.time - start


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Give a provider that lives by a clock of its own."""
    made = Provider()
    name = "custom_components.virtual_sms.core.side_question.monotonic"
    with patch(name, lambda: made.time):
        yield made


async def test_an_answer_holds(provider: Provider) -> None:
    """It is asked again after its interval, or when it is doubted."""
    question = SideQuestion("balance", "Acme", 600.0)
    assert question.is_due
    assert await question.ask(provider.answer) == 1
    assert provider.wait_for(question) == 600
    assert await question.ask(provider.answer) == 2
    question.ask_soon()
    assert question.is_due


async def test_a_doubt_while_it_is_asked(provider: Provider) -> None:
    """What is doubted while it is on its way is asked for once more."""
    question = SideQuestion("balance", "Acme", 600.0)

    async def answer() -> int:
        question.ask_soon()
        return 1

    await question.ask(answer)
    assert question.is_due


async def test_pauses_grow(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """The first failure has no pause; it is told once, and so is the end."""
    caplog.set_level("INFO", "custom_components.virtual_sms")
    question = SideQuestion("balance", "Acme")
    provider.error = InvalidResponseError()
    pauses = []
    for _ in range(14):
        assert await question.ask(provider.answer) is None
        pauses.append(provider.wait_for(question))
    assert pauses[:4] == [0, FIRST_PAUSE, 3 * FIRST_PAUSE, 7 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert question.error is provider.error

    provider.error = None
    assert await question.ask(provider.answer)
    assert question.error is None
    assert [each.levelname for each in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize(("asked", "expected"), [(20, 20), (10**12, LONGEST_PAUSE)])
async def test_a_pause_that_was_asked_for(
    provider: Provider, asked: float, expected: float
) -> None:
    """The provider gets it, within reason."""
    question = SideQuestion("receipts", "Acme")
    provider.error = RateLimitedError(retry_after=asked)
    await question.ask(provider.answer)
    assert provider.wait_for(question) == expected


@pytest.mark.parametrize("error", [ValueError("1.2.3"), OSError()])
async def test_the_unforeseen(
    provider: Provider, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it is, it is no more than a question that failed."""
    question = SideQuestion("balance", "Acme")
    provider.error = error
    assert await question.ask(provider.answer) is None
    assert question.error is not None
    assert question.error.code == "unknown"
    warnings = [each for each in caplog.records if each.levelname == "WARNING"]
    assert [type(error).__name__ in each.getMessage() for each in warnings] == [True]


async def test_a_line_that_closes(provider: Provider) -> None:
    """A home that stops is no trouble of the provider's."""
    question = SideQuestion("receipts", "Acme")
    provider.error = DatabaseClosedError()
    assert await question.ask(provider.answer) is None
    assert question.error is None
