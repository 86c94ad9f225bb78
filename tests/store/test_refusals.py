"""What a line may not send, and until when."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.virtual_sms.store.refusals import (
    OptedOut,
    Refusal,
    show_ends,
)
from custom_components.virtual_sms.store.usage import Limit, LimitReached

SOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
STEP = timedelta(hours=5)


@pytest.mark.parametrize(
    ("refusal", "shown"),
    [
        *[
            (LimitReached(each, SOON), LimitReached(each, SOON + STEP))
            for each in (Limit.HOUR, Limit.DAY, Limit.REPEATS)
        ],
        (LimitReached(Limit.MONTH, SOON), LimitReached(Limit.MONTH, SOON)),
        (LimitReached(Limit.DAY, None), LimitReached(Limit.DAY, None)),
        (OptedOut(), OptedOut()),
    ],
)
def test_ends_are_told_as_the_clock_on_the_wall_has_them(
    refusal: Refusal, shown: Refusal
) -> None:
    """Sliding windows go by a clock that never jumps; a month is the home's already."""
    assert show_ends({"m": refusal}, STEP) == {"m": shown}
