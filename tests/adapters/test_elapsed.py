"""Time that goes by is counted, whatever the clocks do."""

import pytest

from custom_components.virtual_sms.adapters.elapsed import LEAP, Elapsed


@pytest.mark.parametrize("leap", [LEAP, 56 * 365 * 86_400.0, -1.0, -1e9])
def test_a_count_that_is_another(leap: float) -> None:
    """Neither a leap of decades nor a step back is time that has gone by."""
    count = [1000.0]
    elapsed = Elapsed(lambda: count[0])
    count[0] += 5
    assert elapsed() == 5
    count[0] += leap
    assert elapsed() == 5
    count[0] += 201 * 86_400
    assert elapsed() == 5 + 201 * 86_400
