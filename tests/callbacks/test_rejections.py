"""Refused callbacks: when a person is told, and what a flood may cost."""

import asyncio
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.virtual_sms.accounts import async_get_account
from custom_components.virtual_sms.callbacks.rejections import PLAUSIBLE_LIMIT
from custom_components.virtual_sms.callbacks.webhook import MOST_IN_HAND
from custom_components.virtual_sms.const import DOMAIN
from tests.home import SENDER, listen, settle

if TYPE_CHECKING:
    from aiohttp.test_utils import TestClient
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

    from simulator import Simulator

ACCOUNT = "AC" + "5a" * 16


@pytest.fixture
async def client(
    home_url: str, hass_client_no_auth: ClientSessionGenerator
) -> TestClient[Any, Any]:
    """Be anyone on the internet."""
    return await hass_client_no_auth()


def issue(hass: HomeAssistant, entry: ConfigEntry) -> ir.IssueEntry | None:
    """Return the repair issue about refused callbacks."""
    registry = ir.async_get(hass)
    return registry.async_get_issue(DOMAIN, f"callbacks_rejected_{entry.entry_id}")


async def refuse(
    client: TestClient[Any, Any], entry: ConfigEntry, account: str = ACCOUNT
) -> None:
    """Send a callback whose signature is wrong."""
    answer = await client.post(
        f"/api/webhook/{entry.data[CONF_WEBHOOK_ID]}",
        data={"AccountSid": account, "MessageSid": "SM1"},
        headers={"X-Twilio-Signature": "wrong"},
    )
    assert answer.status == 403


async def test_told_and_taken_back(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Callbacks that look real and fail raise an issue; one that passes clears it."""
    for _ in range(PLAUSIBLE_LIMIT - 1):
        await refuse(client, twilio_entry)
    assert issue(hass, twilio_entry) is None
    await refuse(client, twilio_entry)
    found = issue(hass, twilio_entry)
    assert found is not None
    assert found.translation_key == "callbacks_rejected"
    assert found.translation_placeholders == {
        "name": "Twilio line",
        "provider": "Twilio",
    }
    assert caplog.text.count("was refused") == 1

    heard = listen(hass)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]
    assert issue(hass, twilio_entry) is None


async def test_strangers_alarm_nobody(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """A forgery that does not even know the account is no sign of anything."""
    for _ in range(PLAUSIBLE_LIMIT * 2):
        await refuse(client, twilio_entry, account="AC" + "0" * 32)
    assert issue(hass, twilio_entry) is None


async def test_one_that_passes_starts_the_count_anew(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """Refusals count only while nothing passes."""
    for _ in range(3):
        for _ in range(PLAUSIBLE_LIMIT - 1):
            await refuse(client, twilio_entry)
        simulator.twilio.receive(SENDER, "Hello")
        await settle(hass, simulator)
    assert issue(hass, twilio_entry) is None


async def test_gone_with_the_entry(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """A number that is at rest complains of nothing."""
    for _ in range(PLAUSIBLE_LIMIT):
        await refuse(client, twilio_entry)
    assert issue(hass, twilio_entry)
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    assert issue(hass, twilio_entry) is None


async def test_flood(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """Who has no turn in time is sent away, to come again; no other loses its turn."""
    account, held = async_get_account(hass, twilio_entry), asyncio.Event()
    receive = account.receive

    async def receive_slowly(*args: Any) -> Any:
        await held.wait()
        return await receive(*args)

    async def call() -> int:
        url = f"/api/webhook/{twilio_entry.data[CONF_WEBHOOK_ID]}"
        headers = {"X-Twilio-Signature": "forged"}
        data = {"AccountSid": ACCOUNT}
        return (await client.post(url, data=data, headers=headers)).status

    with (
        patch.object(account, "receive", receive_slowly),
        patch("custom_components.virtual_sms.callbacks.webhook.TURN_TIMEOUT", 0.1),
    ):
        calls = [asyncio.create_task(call()) for _ in range(MOST_IN_HAND)]
        await asyncio.sleep(0.5)
        assert await call() == 503
        with patch("custom_components.virtual_sms.callbacks.webhook.MOST_WAITING", 0):
            assert await call() == 503
        held.set()
        assert set(await asyncio.gather(*calls)) == {403}
    assert await call() == 403
