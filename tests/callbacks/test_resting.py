"""A number that is not at work never says that it took what it did not."""

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_WEBHOOK_ID
import pytest

from tests.home import SENDER, listen, settle
from tests.set_up import set_up

from .test_webhook import client, inbound, path, signed

if TYPE_CHECKING:
    from aiohttp.test_utils import TestClient
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

__all__ = ["client"]


async def call(
    client: TestClient[Any, Any], simulator: Simulator, entry: ConfigEntry
) -> int:
    """Bring a message to a number's webhook, and return the answer."""
    fields = inbound(simulator)
    headers = signed(simulator, entry, fields)
    response = await client.post(path(entry), data=fields, headers=headers)
    return response.status


async def bring(
    client: TestClient[Any, Any], simulator: Simulator, entry: ConfigEntry, to: str
) -> int:
    """Bring a message of OVHcloud's to a number's webhook, and return the answer."""
    message_id = simulator.ovh.receive(SENDER, "Hello", number=to, callback=False)
    form = {
        "id": str(message_id),
        "senderid": SENDER,
        "message": "Hello",
        "shortcode": to,
    }
    return (await client.post(path(entry), data=form)).status


async def test_a_number_that_is_about_to_come_back(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """While it is reloaded the provider may try again; the message is not lost."""
    heard = listen(hass)
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    assert await call(client, simulator, twilio_entry) == 503
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert [each["late"] for each in heard.received] == [True]
    assert await call(client, simulator, twilio_entry) == 200


async def test_a_number_whose_set_up_fails(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """Whatever keeps it from being set up, it is about to come back."""
    failing = "custom_components.virtual_sms._async_create_gateway"
    with patch(failing, side_effect=OSError):
        assert not await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert await call(client, simulator, twilio_entry) == 503


@pytest.mark.parametrize("disabled_by", [None, ConfigEntryDisabler.USER])
async def test_from_the_start_of_the_home(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
    disabled_by: ConfigEntryDisabler | None,
) -> None:
    """Home Assistant opens its web server before every number is at work."""
    from custom_components.virtual_sms import async_setup

    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    if disabled_by:
        await hass.config_entries.async_set_disabled_by(
            twilio_entry.entry_id, disabled_by
        )
    hass.data["webhook"].clear()
    with patch("custom_components.virtual_sms.async_setup_desks"):
        assert await async_setup(hass, {})
    status = await call(client, simulator, twilio_entry)
    assert status == (400 if disabled_by else 503)


async def test_a_number_that_is_disabled(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """It is no line of this home; the webhook of a removed one is not there at all."""
    await hass.config_entries.async_set_disabled_by(
        twilio_entry.entry_id, ConfigEntryDisabler.USER
    )
    assert await call(client, simulator, twilio_entry) == 400
    assert await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert twilio_entry.data[CONF_WEBHOOK_ID] not in hass.data["webhook"]


async def test_another_number_of_a_shared_url(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """What comes to the resting one's webhook reaches the one that is at work."""
    ovh = simulator.ovh
    await set_up(hass, simulator, "ovh", number=ovh.SECOND_NUMBER)
    heard = listen(hass)
    assert await hass.config_entries.async_unload(ovh_entry.entry_id)
    assert await bring(client, simulator, ovh_entry, ovh.SECOND_NUMBER) == 200
    await settle(hass, simulator)
    assert [each["number"] for each in heard.received] == [ovh.SECOND_NUMBER]
    # Alone, the resting one has nobody who could ask OVHcloud.
    [_, other] = hass.config_entries.async_entries("virtual_sms")
    assert await hass.config_entries.async_unload(other.entry_id)
    assert await bring(client, simulator, ovh_entry, ovh.NUMBER) == 503
