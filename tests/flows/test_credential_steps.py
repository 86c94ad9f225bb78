"""What a form says of credentials that do not work."""

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.set_up import answer, credentials, set_up, to_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.core import HomeAssistant

    from simulator import Simulator

SID, TOKEN = "AC" + "1f" * 16, "2e" * 16


@pytest.fixture(autouse=True)
def no_setup() -> Iterator[None]:
    """Leave the entries that the flow makes alone."""
    with patch("custom_components.virtual_sms.async_setup_entry", return_value=True):
        yield


@pytest.mark.parametrize(
    ("provider", "changes", "words"),
    [
        ("twilio", {"account_sid": TOKEN, "auth_token": SID}, "starts with AC"),
        ("twilio", {"account_sid": SID[:-1]}, "has 34 characters"),
        ("twilio", {"account_sid": " "}, "has 34 characters"),
        ("twilio", {"auth_token": " "}, "its secret is missing"),
        ("ovh", {"application_key": " "}, ""),
        ("twilio", {"auth_token": TOKEN[:-1]}, "has 32 characters"),
        ("twilio", {"auth_token": TOKEN}, "from the same account and region"),
        (
            "twilio",
            {"api_key_sid": SID, "api_key_secret": "secret"},
            "starts with SK",
        ),
        ("ovh", {"application_key": "wrong"}, "does not know the application key"),
        ("ovh", {"application_secret": "wrong"}, "does not belong to the application"),
        ("ovh", {"consumer_key": "wrong"}, "consumer key is wrong"),
    ],
)
async def test_says_which_value_is_wrong(
    hass: HomeAssistant,
    simulator: Simulator,
    provider: str,
    changes: dict[str, str],
    words: str,
) -> None:
    """A value that was swapped, cut off or refused is named, under the same error."""
    result = await to_number(hass, simulator, provider, **changes)
    assert result["errors"] == {"base": "invalid_auth"}
    placeholders = result["description_placeholders"] or {}
    assert words in placeholders["detail"]


async def test_unusual_values_are_not_refused(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """What a value looks like counts only once the provider has refused it."""
    simulator.twilio.auth_token = token = "of-another-shape-one-day"
    result = await to_number(hass, simulator, "twilio", auth_token=token)
    assert result["step_id"] == "number"


async def test_says_that_a_secret_is_missing(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Another key without its secret is not called a wrong one."""
    entry = await set_up(hass, simulator, "ovh", mode="polling")
    result = await MockConfigEntry.start_reconfigure_flow(entry, hass)
    typed = credentials(simulator, "ovh", application_key="another")
    del typed["application_secret"]
    result = await answer(hass, result, **typed)
    assert result["errors"] == {"base": "invalid_auth"}
    placeholders = result["description_placeholders"] or {}
    assert "secret is missing" in placeholders["detail"]
