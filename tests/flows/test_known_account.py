"""Another number of an account that is connected already."""

from typing import TYPE_CHECKING
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.virtual_sms.const import CONF_CREDENTIALS, CONF_NUMBER, DOMAIN
from tests.set_up import answer, credentials, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.config_entries import ConfigFlowResult
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


@pytest.fixture(autouse=True)
def no_setup() -> Iterator[None]:
    """Leave the entries that the flow makes alone."""
    with patch("custom_components.virtual_sms.async_setup_entry", return_value=True):
        yield


async def menu(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the set-up."""
    flow = hass.config_entries.flow
    return await flow.async_init(DOMAIN, context={"source": SOURCE_USER})


async def choose_known(hass: HomeAssistant) -> ConfigFlowResult:
    """Choose the account that is known in the menu."""
    return await answer(hass, await menu(hass), next_step_id="known_account")


async def test_nothing_is_known_at_first(hass: HomeAssistant) -> None:
    """An entry whose keys have opened nothing yet offers none."""
    MockConfigEntry(domain=DOMAIN).add_to_hass(hass)
    assert "known_account" not in (await menu(hass))["menu_options"]


async def test_no_keys_are_asked_for_again(
    hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """The account's other numbers are offered at once, and share its keys."""
    first = await set_up(hass, simulator, provider, mode="polling")
    assert next(iter((await menu(hass))["menu_options"])) == "known_account"

    result = await choose_known(hass)
    assert result["step_id"] == "number"
    (other,) = result["data_schema"].schema["number"].config["options"]
    result = await answer(hass, result, number=other["value"])
    result = await answer(hass, result, mode="polling")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    stored = result["data"]
    assert stored[CONF_NUMBER] not in {first.data[CONF_NUMBER], None}
    assert stored[CONF_CREDENTIALS] == first.data[CONF_CREDENTIALS]

    result = await choose_known(hass)
    assert result["reason"] == "already_configured"


async def test_several_accounts_are_told_apart(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Each is named by its provider and the numbers that are set up."""
    for provider in ("ovh", "twilio"):
        await set_up(hass, simulator, provider, mode="polling", name=f"My {provider}")
    await set_up(
        hass,
        simulator,
        "twilio",
        mode="polling",
        number=simulator.twilio.SMS_ONLY_NUMBER,
        name="Office",
    )
    result = await choose_known(hass)
    assert result["step_id"] == "known_account"
    ovh, twilio = result["data_schema"].schema["account"].config["options"]
    assert ovh["label"] == "OVHcloud: My ovh"
    assert twilio["label"] == "Twilio: My twilio, Office"

    result = await answer(hass, result, account=ovh["value"])
    (number,) = result["data_schema"].schema["number"].config["options"]
    assert number["value"] == simulator.ovh.SECOND_NUMBER


async def test_keys_that_are_refused_meanwhile(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The provider's form asks for new ones, all else filled in."""
    await set_up(hass, simulator, "twilio", mode="polling")
    simulator.twilio.auth_token = "99" * 16
    result = await choose_known(hass)
    assert (result["step_id"], result["errors"]) == ("twilio", {"base": "invalid_auth"})
    (sid,) = (key for key in result["data_schema"].schema if key == "account_sid")
    assert sid.description == {"suggested_value": simulator.twilio.ACCOUNT_SID}

    result = await answer(hass, result, **credentials(simulator, "twilio"))
    assert result["step_id"] == "number"
