"""What a month has used is kept until it is over for certain."""

from contextlib import closing
import sqlite3

from custom_components.virtual_sms.store.usage_rows import use_month

MONTHS = [f"{year}-{month:02}" for year in (2024, 2025, 2026) for month in range(1, 13)]


def test_an_earlier_month_is_forgotten() -> None:
    """Segments add up within a month; nothing else that is counted goes with it.

    Two years are kept, as the clock may have been ahead.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE fact (name TEXT PRIMARY KEY, value REAL)")
        connection.execute("INSERT INTO fact VALUES ('sent', 7)")
        for each in (*MONTHS, MONTHS[-1]):
            use_month(connection, each, 2)
        facts = dict(connection.execute("SELECT name, value FROM fact"))
    kept = {f"month_{each}": 2 for each in MONTHS[-24:]}
    assert facts == {"sent": 7} | kept | {"month_2026-12": 4}
