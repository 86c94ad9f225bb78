"""What Twilio's record of an inbound message says."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from custom_components.virtual_sms.adapters.models import InboundMessage
from custom_components.virtual_sms.adapters.twilio.inbound import (
    read_address,
    read_inbound,
)

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = AT + timedelta(days=1)


def read(**fields: object) -> InboundMessage:
    """Read a message that Twilio lists, with some fields of its record."""
    record = {
        "direction": "inbound",
        "sid": "SM1",
        "to": "+15005550006",
        "from_": "+33612345678",
        "body": "Hello",
        "date_sent": AT,
        "num_segments": "1",
        "num_media": "0",
        "status": "received",
    }
    found = read_inbound(SimpleNamespace(**record | fields))
    assert found
    return found.message


@pytest.mark.parametrize(("given", "segments"), [("3", 3), (None, None), ("x", None)])
def test_segments(given: str | None, segments: int | None) -> None:
    """How many were billed is read where it stands there."""
    assert read(num_segments=given).segments == segments


@pytest.mark.parametrize(
    ("sent", "created", "updated"),
    [(AT, LATER, LATER), (None, AT, LATER), (None, None, AT)],
)
def test_time(
    sent: datetime | None, created: datetime | None, updated: datetime
) -> None:
    """A command is as old as the message, not as what its record last learned."""
    moments = {"date_sent": sent, "date_created": created, "date_updated": updated}
    assert read(**moments).received_at == AT


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("whatsapp:+33612345678", "+33612345678"),
        ("a:b:+33612345678", "a:b:+33612345678"),
        (None, ""),
    ],
)
def test_address(given: str | None, address: str) -> None:
    """One channel before a number is left out; anything else is no number."""
    assert read_address(given) == address
