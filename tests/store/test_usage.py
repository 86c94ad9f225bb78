"""What a month has used is kept for that month only."""

from contextlib import closing
from datetime import UTC, datetime
import sqlite3

from custom_components.virtual_sms.store.usage import Month, use_month

NOVEMBER = Month("2026-11", datetime(2026, 12, 1, tzinfo=UTC))
DECEMBER = Month("2026-12", datetime(2027, 1, 1, tzinfo=UTC))


def test_an_earlier_month_is_forgotten() -> None:
    """Segments add up within a month; nothing else that is counted goes with it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE fact (name TEXT PRIMARY KEY, value REAL)")
        connection.execute("INSERT INTO fact VALUES ('sent', 7)")
        for month, segments in ((NOVEMBER, 2), (DECEMBER, 3), (DECEMBER, 1)):
            use_month(connection, month, segments)
        facts = dict(connection.execute("SELECT name, value FROM fact"))
    assert facts == {"sent": 7, "month_2026-12": 4}
