"""What an entry stores of a number, by name and by type."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.virtual_sms.entry_data import EntryData

LEAST = {
    "provider": "twilio",
    "credentials": {"account_sid": "AC1", "auth_token": "t0ken"},
    "account": "AC1",
    "number": "+15005550006",
    "webhook_id": "abc",
    "mode": "polling",
}
CALLED = LEAST | {"mode": "automatic", "callback_url": "https://home.example/abc"}
REPLACED = {"previous_callbacks": {"inbound": "https://other.example", "status": None}}


@pytest.mark.parametrize("stored", [LEAST, CALLED, CALLED | REPLACED])
def test_what_is_stored_is_read_and_written_alike(stored: dict[str, Any]) -> None:
    """Reading an entry and writing it back changes nothing, key by key."""
    data = EntryData.of(MockConfigEntry(data=stored))
    assert data.as_dict() == stored
    assert data.account == ("twilio", "AC1")
    assert (data.polls, data.is_automatic) == (stored is LEAST, stored is not LEAST)


def test_secrets_are_not_printed() -> None:
    """What lands in a log by accident holds no secret, address or number."""
    printed = repr(EntryData.of(MockConfigEntry(data=CALLED | REPLACED)))
    for secret in ("t0ken", "abc", "home.example", "other.example", "+15005550006"):
        assert secret not in printed
