"""A secret that was replaced counts for a while, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.adapters.replaced_secret import (
    LASTS,
    ReplacedSecret,
    previous_keys,
)

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Uptime:
    """Seconds that this home has been up for: many, when the secret is looked at."""

    def __init__(self) -> None:
        """Begin long after the start."""
        self.seconds = 50_000.0

    def __call__(self) -> float:
        """Return them."""
        return self.seconds


@pytest.fixture
def uptime() -> Uptime:
    """Return what counts the time that goes by."""
    return Uptime()


def replaced(uptime: Uptime, until: datetime) -> ReplacedSecret:
    """Return a secret that counts until a time."""
    previous, end = previous_keys("token")
    return ReplacedSecret({previous: "old", end: until.isoformat()}, "token", uptime)


@pytest.mark.parametrize(
    ("until", "value"),
    [
        (NOW + LASTS, "old"),
        (NOW + SECOND, "old"),
        (NOW, None),
        (NOW - SECOND, None),
        (NOW + LASTS + SECOND, None),
    ],
)
def test_until_its_time(
    freezer: FrozenDateTimeFactory, uptime: Uptime, until: datetime, value: str | None
) -> None:
    """At its end it is over; one that is further away than it can be never counts."""
    freezer.move_to(NOW)
    secret = replaced(uptime, until)
    assert secret.value == value
    assert secret.is_over is (value is None)


@pytest.mark.parametrize(
    ("gone", "value"), [(0.0, "old"), (3599.0, "old"), (3600.0, None), (3601.0, None)]
)
def test_no_longer_than_was_left(
    freezer: FrozenDateTimeFactory, uptime: Uptime, gone: float, value: str | None
) -> None:
    """A clock that stands still, or is put back, does not lengthen it."""
    freezer.move_to(NOW)
    secret = replaced(uptime, NOW + timedelta(hours=1))
    uptime.seconds += gone
    assert secret.value == value


def test_over_is_over(freezer: FrozenDateTimeFactory, uptime: Uptime) -> None:
    """Once it did not count, it never does again."""
    freezer.move_to(NOW)
    secret = replaced(uptime, NOW + SECOND)
    freezer.move_to(NOW + SECOND)
    assert secret.value is None
    freezer.move_to(NOW)
    assert secret.value is None
