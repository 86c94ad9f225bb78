"""A budget bounds what happens, and leaves room for a burst."""

from custom_components.virtual_sms.core.token_bucket import TokenBucket

SIZE, REFILL = 20, 3.0


def test_the_budget() -> None:
    """It is spent one by one, grows back with time, and never beyond itself."""
    now = 0.0
    budget = TokenBucket(SIZE, REFILL, lambda: now)
    assert [budget.take() for _ in range(SIZE + 2)] == [True] * SIZE + [False] * 2
    now += REFILL * 0.9
    assert not budget.take()
    now += REFILL * 0.2
    assert budget.take()
    assert not budget.take()
    now += REFILL * 1000
    assert [budget.take() for _ in range(SIZE + 1)] == [True] * SIZE + [False]
