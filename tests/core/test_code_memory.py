"""What is remembered of codes: who is locked by which message, and what was used."""

import pytest

from custom_components.virtual_sms.core.code_memory import CodeMemory, Noted
from custom_components.virtual_sms.core.guard import ContactGuard
from custom_components.virtual_sms.store.codes import (
    MOST_WRONG,
    STEPS_KEPT,
    WINDOW,
    CodeRows,
)

ANNA = "anna"
HOUR = WINDOW.total_seconds()


@pytest.fixture
def memory() -> CodeMemory:
    """Remember nothing yet."""
    return CodeMemory()


def miss(memory: CodeMemory, at: float, count: int = 1) -> Noted:
    """Let Anna be wrong at a time."""
    return memory.note_wrong(ANNA, f"M{at}", at, count)


def test_only_the_message_that_locks_says_so(memory: CodeMemory) -> None:
    """Its line writes the lock down, the others do not; asked again, it says the same."""
    before = [miss(memory, at).locks for at in range(MOST_WRONG - 1)]
    assert before == [False] * (MOST_WRONG - 1)
    last = MOST_WRONG - 1
    assert miss(memory, last) == miss(memory, last)
    assert miss(memory, last) == Noted(is_locked=True, wrong=1, locks=True)
    assert miss(memory, last + 1) == Noted(is_locked=True)


@pytest.mark.parametrize(("apart", "is_locked"), [(HOUR, False), (HOUR - 1, True)])
def test_an_hour_is_over_when_it_is(
    memory: CodeMemory, apart: float, *, is_locked: bool
) -> None:
    """What was wrong exactly an hour ago counts no more."""
    miss(memory, 0, MOST_WRONG - 1)
    assert miss(memory, apart).is_locked is is_locked


def test_used_codes_are_kept_as_long_as_they_could_come_again(
    memory: CodeMemory,
) -> None:
    """The oldest that is kept is not fresh for another message."""
    assert memory.note_right(ANNA, "A", {100}).is_fresh
    assert memory.note_right(ANNA, "B", {100 + STEPS_KEPT}).is_fresh
    assert not memory.note_right(ANNA, "C", {100}).is_fresh
    assert memory.note_right(ANNA, "D", {101 + STEPS_KEPT}).is_fresh
    assert memory.note_right(ANNA, "E", {100}).is_fresh


def test_nothing_is_known_of_who_is_gone(memory: CodeMemory) -> None:
    """Whoever is forgotten may be one whom nothing was ever known of."""
    memory.forget(ANNA)
    miss(memory, 0, MOST_WRONG)
    memory.forget(ANNA)
    assert not memory.is_locked(ANNA)


def test_each_line_brings_what_it_has_stored(memory: CodeMemory) -> None:
    """Each once, and none in place of another."""
    guard = ContactGuard(lambda _: None, memory, lambda: WINDOW)
    wrong = CodeRows(attempts=[(ANNA, 0.0)] * (MOST_WRONG - 1), used=[], locked=[])
    guard.load("one", wrong)
    guard.load("one", wrong)
    assert not memory.is_locked(ANNA)
    guard.load("two", CodeRows(attempts=[], used=[], locked=["bob"]))
    assert memory.is_locked("bob")
    assert miss(memory, 1).is_locked
