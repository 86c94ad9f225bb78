"""Pictures that are served for a while."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.virtual_sms.store import pictures
from custom_components.virtual_sms.store.pictures import (
    Picture,
    find_next_end,
    list_surplus,
    name_token,
    new_token,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PICTURE = Picture(
    name="a",
    entry_id="entry",
    blob="blob",
    content_type="image/jpeg",
    size=10,
    expires_at=NOW.timestamp() + 60,
    fetches_left=2,
)


def test_a_token_is_long_and_random() -> None:
    """It has 128 bits, fits into a URL, and is known by its hash only."""
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(each) == 22 for each in tokens)
    assert name_token("\udcff") != name_token("?!")


def test_a_picture_survives_a_restart() -> None:
    """What is written is read again as it was."""
    assert Picture.load(PICTURE.dump()) == PICTURE


def test_a_picture_is_served_for_a_while() -> None:
    """Until its time is over, or it was fetched often enough."""
    assert PICTURE.is_served(NOW)
    assert not PICTURE.is_served(NOW + timedelta(seconds=60))
    assert PICTURE.prolonged(timedelta(1)).is_served(NOW + timedelta(seconds=60))
    assert not PICTURE.fetched().fetched().is_served(NOW)


def test_too_much_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over, then what would end first; the same file counts once."""
    many = {
        name: replace(PICTURE, name=name, blob=blob, expires_at=NOW.timestamp() + end)
        for name, blob, end in (
            ("a", "x", 1),
            ("b", "x", 2),
            ("c", "y", 3),
            ("d", "z", -1),
        )
    }
    assert list_surplus(many, NOW) == ["d"]
    monkeypatch.setattr(pictures, "MOST_BYTES", 20)
    assert list_surplus(many, NOW) == ["d"]
    monkeypatch.setattr(pictures, "MOST_BYTES", 15)
    assert list_surplus(many, NOW) == ["a", "b", "d"]
    monkeypatch.setattr(pictures, "MOST_PICTURES", 0)
    assert list_surplus(many, NOW) == ["a", "b", "c", "d"]


def test_the_next_end_is_known() -> None:
    """None where there are no pictures."""
    assert find_next_end([]) is None
    assert find_next_end([PICTURE]) == NOW + timedelta(seconds=60)
