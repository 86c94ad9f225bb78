"""What is sent has a name that nothing else has."""

import time

import pytest

from custom_components.virtual_sms.core.message_ids import MessageIds


@pytest.mark.parametrize("steps", [0, 1, -3_600_000_000_000])
def test_each_is_greater_than_those_before(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Also while the clock stands, and after it was put back."""
    times = [1_790_000_000_000_000_000 + steps * each for each in range(3)]
    monkeypatch.setattr(time, "time_ns", lambda: times.pop(0))
    ids = MessageIds()
    made = [ids.new() for _ in range(3)]
    assert made == sorted(set(made))
    assert {len(each) for each in made} == {32}


def test_another_run_makes_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even at the same moment."""
    monkeypatch.setattr(time, "time_ns", lambda: 1_790_000_000_000_000_000)
    assert len({MessageIds().new() for _ in range(10)}) == 10
