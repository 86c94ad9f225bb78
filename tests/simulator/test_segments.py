"""Check how a text is cut."""

import pytest

from simulator.segments import count


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ł" * 70, 1),
        ("ł" * 135, 3),
        ("😀" * 36, 2),
        ("ł" * 66 + "😀" + "ł" * 66, 3),
        ("\r\n" * 160, 1),
    ],
)
def test_segments(text: str, segments: int) -> None:
    """The calculator's check values come out."""
    assert count(text).segments == segments
