"""What Twilio's record of an inbound message says."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from custom_components.virtual_sms.adapters.twilio.inbound import (
    read_address,
    read_inbound,
)

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(("given", "segments"), [("3", 3), (None, None), ("x", None)])
def test_segments(given: str | None, segments: int | None) -> None:
    """How many were billed is read where it stands there."""
    record = SimpleNamespace(
        direction="inbound",
        sid="SM1",
        to="+15005550006",
        from_="+33612345678",
        body="Hello",
        date_sent=AT,
        num_segments=given,
        num_media="0",
        status="received",
    )
    found = read_inbound(record)
    assert found
    assert found.message.segments == segments


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("whatsapp:+33612345678", "+33612345678"),
        ("a:b:+33612345678", "a:b:+33612345678"),
        (None, ""),
    ],
)
def test_address(given: str | None, read: str) -> None:
    """One channel before a number is left out; anything else is no number."""
    assert read_address(given) == read
