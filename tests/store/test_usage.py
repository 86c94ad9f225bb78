"""What a line has used of its limits: in memory, and in its file."""

from contextlib import closing
from datetime import UTC, datetime
import sqlite3

import pytest

from custom_components.virtual_sms.store.usage import (
    Allowance,
    Limit,
    LimitReached,
    Limits,
    Month,
    Usage,
    Use,
)
from custom_components.virtual_sms.store.usage_rows import use_month

MONTHS = [f"{year}-{month:02}" for year in (2024, 2025, 2026) for month in range(1, 13)]


def test_an_earlier_month_is_forgotten() -> None:
    """Segments add up within a month; nothing else that is counted goes with it.

    Two years are kept, as the clock may have been ahead, and whatever month it is now.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE fact (name TEXT PRIMARY KEY, value REAL)")
        connection.execute("INSERT INTO fact VALUES ('sent', 7)")
        for each in (*MONTHS, MONTHS[-1], "2020-01", "2020-01"):
            use_month(connection, each, 2)
        facts = dict(connection.execute("SELECT name, value FROM fact"))
    kept = {f"month_{each}": 2 for each in MONTHS[-24:]}
    assert facts == {"sent": 7} | kept | {"month_2026-12": 4, "month_2020-01": 4}


def use(at: float, segments: int = 1, what: str | None = "text") -> Use:
    """Use something at a second of the first hour."""
    return Use(recipient="+1", segments=segments, what=what, at=at, month="2026-11")


def allow(**limits: int | None) -> Allowance:
    """Allow so much, and any amount of what is not named."""
    none: dict[str, int | None] = dict.fromkeys(("hour", "day", "month", "repeats"))
    month = Month("2026-11", datetime(2026, 12, 1, tzinfo=UTC))
    return Allowance(limits=Limits(**none | limits), month=month)


def second(at: float) -> datetime:
    """Return a time."""
    return datetime.fromtimestamp(at, UTC)


def test_what_no_limit_asks_for_is_forgotten_as_well() -> None:
    """A line without limits, or without some of them, keeps nothing for ever."""
    usage = Usage()
    for day in range(5):
        for allowance in (None, allow()):
            now = day * 86_401
            assert usage.take(use(now, what=f"{day}"), allowance, second(now)) is None
    windows = usage._windows.values()
    assert [(len(each._entries), len(each._sums)) for each in windows] == [(2, 1)] * 3


@pytest.mark.parametrize("limit", list(Limit))
def test_what_is_given_back_is_free_again(limit: Limit) -> None:
    """In each window and month, and only once."""
    usage, allowance = Usage(), allow(**{limit.removeprefix("limit_"): 1})
    assert usage.take(use(10), allowance, second(10)) is None
    assert usage.take(use(11), allowance, second(11)) is not None
    usage.give_back(use(10))
    assert usage.take(use(12), allowance, second(12)) is None
    assert usage.take(use(13), allowance, second(13)) is not None


def test_what_has_left_a_window_is_given_back_to_no_other() -> None:
    """It counted no more, and what came after it counts on."""
    usage, allowance = Usage(), allow(hour=1)
    usage.take(use(0), allowance, second(0))
    assert usage.take(use(3600), allowance, second(3600)) is None
    usage.give_back(use(0))
    assert usage.take(use(3601), allowance, second(3601)) is not None


def test_what_was_used_before_a_reset_is_given_back_to_nobody() -> None:
    """A month that was opened anew holds no more than its limit."""
    usage, allowance = Usage(), allow(month=1)
    assert usage.take(use(0), allowance, second(0)) is None
    usage.open_anew(second(1))
    usage.give_back(use(0))
    assert usage.take(use(2), allowance, second(2)) is None
    assert usage.take(use(3), allowance, second(3)) is not None


def test_what_comes_late_stands_in_its_place() -> None:
    """A message of before is forgotten before those that were counted earlier."""
    usage, allowance = Usage(), allow(hour=5)
    for at, segments in ((100, 2), (50, 3)):
        assert usage.take(use(at, segments), allowance, second(100)) is None
    assert usage.take(use(101), allowance, second(101)) == LimitReached(
        Limit.HOUR, second(50 + 3600)
    )
    assert usage.take(use(3650, 3), allowance, second(3650)) is None
    assert usage.take(use(3651), allowance, second(3651)) == LimitReached(
        Limit.HOUR, second(100 + 3600)
    )


def test_what_an_older_file_does_not_say_is_no_repeat() -> None:
    """Its segments count; what it said nobody knows."""
    usage = Usage()
    usage.load([use(0, 2, None)], {"2026-11": 2})
    usage.give_back(use(0, 0, None))
    assert usage.take(use(1), allow(repeats=1), second(1)) is None
    assert usage.take(use(2), allow(hour=3), second(2)) == LimitReached(
        Limit.HOUR, second(3600)
    )
