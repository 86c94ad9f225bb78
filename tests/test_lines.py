"""The lines of one account: who gets a callback, and who is asked after a gap."""

from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.virtual_sms.accounts import async_get_account
from custom_components.virtual_sms.adapters.models import (
    CallbackRequest,
    InboundMessage,
)
from custom_components.virtual_sms.const import CONF_ACCOUNT, CONF_NUMBER, DOMAIN
from custom_components.virtual_sms.core.account import LineAwayError, NoSuchLineError

from .home import SENDER, listen, settle
from .set_up import set_up

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


@pytest.fixture
async def second(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> ConfigEntry:
    """Set up a second number of the same account."""
    number = simulator.twilio.SMS_ONLY_NUMBER
    return await set_up(hass, simulator, "twilio", number=number, name="Second line")


async def call(
    hass: HomeAssistant,
    entry: ConfigEntry,
    number: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Have an authentic message for a number come to an entry."""
    message = InboundMessage(
        message_id="SM00000000000000000000000000000001",
        number=number,
        sender=SENDER,
        text="Hello",
        received_at=dt_util.utcnow(),
    )
    gateway = entry.runtime_data.gateway
    monkeypatch.setattr(gateway.line.adapter, "verify", lambda _: None)
    monkeypatch.setattr(gateway.line.adapter, "parse", lambda _: message)
    request = CallbackRequest(method="POST", url="https://home")
    await async_get_account(hass, entry).receive(gateway, request)


async def test_a_number_that_comes_back_is_waited_for(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    second: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it is not loaded, for whatever reason, its messages are to come again."""
    heard = listen(hass)
    number = second.data[CONF_NUMBER]
    assert await hass.config_entries.async_unload(second.entry_id)
    with pytest.raises(LineAwayError):
        await call(hass, twilio_entry, number, monkeypatch)
    assert await hass.config_entries.async_setup(second.entry_id)
    await call(hass, twilio_entry, number, monkeypatch)
    await settle(hass, simulator)
    assert [each["entry_id"] for each in heard.received] == [second.entry_id]


@pytest.mark.parametrize("is_disabled", [True, False])
async def test_a_number_that_does_not_come_back_is_refused(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    second: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    is_disabled: bool,
) -> None:
    """It was disabled, or removed."""
    number = second.data[CONF_NUMBER]
    if is_disabled:
        by = ConfigEntryDisabler.USER
        await hass.config_entries.async_set_disabled_by(second.entry_id, by)
    else:
        await hass.config_entries.async_remove(second.entry_id)
    with pytest.raises(NoSuchLineError):
        await call(hass, twilio_entry, number, monkeypatch)


async def test_an_account_of_another_provider_is_another_account(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if both providers gave it the same id."""
    account, number = twilio_entry.data[CONF_ACCOUNT], ovh_entry.data[CONF_NUMBER]
    data = dict(ovh_entry.data) | {CONF_ACCOUNT: account}
    hass.config_entries.async_update_entry(ovh_entry, data=data)
    await hass.config_entries.async_reload(ovh_entry.entry_id)
    other = MockConfigEntry(domain=DOMAIN, data=data | {CONF_NUMBER: "+33900000077"})
    other.add_to_hass(hass)
    for foreign in (number, "+33900000077"):
        with pytest.raises(NoSuchLineError):
            await call(hass, twilio_entry, foreign, monkeypatch)


async def test_all_lines_of_an_account_are_asked_later(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    second: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """A callback that failed may have been for any of them, and for no other."""
    heard = listen(hass)
    number = second.data[CONF_NUMBER]
    simulator.twilio.receive(SENDER, "missed", number=number, callback=False)
    simulator.ovh.receive(SENDER, "not asked", callback=False)
    async_get_account(hass, twilio_entry).catch_up_soon()
    await settle(hass, simulator)
    assert heard.texts == ["missed"]
