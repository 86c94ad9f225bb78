"""What a helper sees of a number, and what they do not."""

from collections.abc import Iterator
from datetime import timedelta
import json
import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.const import CONF_WEBHOOK_ID
import pytest

from custom_components.virtual_sms.const import CONF_PREVIOUS_CALLBACKS
from custom_components.virtual_sms.diagnostics import async_get_config_entry_diagnostics

from .callbacks.test_registrar import FOREIGN, put
from .home import RECIPIENT, SENDER, revoke, send, settle

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
    from syrupy.assertion import SnapshotAssertion

    from simulator import Simulator

TEXT = "Your parcel is here: 4711"
TELLING = {"provider", "mode"}
"""Values of an entry's data that a helper may read."""


def flatten(data: Any) -> Iterator[str]:
    """Return every value inside, as text."""
    if isinstance(data, dict):
        for value in data.values():
            yield from flatten(value)
    elif data is not None:
        yield str(data)


def secrets(entry: ConfigEntry) -> set[str]:
    """Return what no stranger may see: all of the entry's data, whatever it is."""
    private = {key: value for key, value in entry.data.items() if key not in TELLING}
    return {*flatten(private), entry.title, str(entry.unique_id)}


async def test_says_what_helps(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    snapshot: SnapshotAssertion,
) -> None:
    """A number at work shows how, without what."""
    message_id = simulator.providers[provider].receive(SENDER, TEXT)
    [sent] = await send(hass, entry, message=TEXT)
    await settle(hass, simulator)
    found = await async_get_config_entry_diagnostics(hass, entry)
    written = json.dumps(found)
    private = {SENDER, RECIPIENT, TEXT, str(message_id)}
    private |= {sent["message_id"], sent["provider_id"], SENDER[1:], RECIPIENT[1:]}
    for secret in private | secrets(entry):
        assert secret not in written, secret

    libraries = found.pop("libraries")
    assert sorted(libraries) == ["ovh", "phonenumberslite", "pyotp", "regex", "twilio"]
    major = int(libraries["twilio"].partition(".")[0])
    is_asynchronous = found.pop("asynchronous_library")
    assert is_asynchronous is (provider == "ovh" or major >= 8)
    assert found == snapshot


async def test_what_callers_are_told_is_nobodys_business(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """A person wrote it, perhaps with a telephone number in it."""
    options = {"incoming_calls": "speak", "greeting": f"Text {SENDER} instead"}
    hass.config_entries.async_update_entry(twilio_entry, options=options)
    found = await async_get_config_entry_diagnostics(hass, twilio_entry)
    assert found["entry"]["options"] == {"incoming_calls": "speak", "greeting": True}


@pytest.mark.parametrize("mode", ["polling"])
async def test_names_the_trouble(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What went wrong last is named by its code, and for how long it does."""
    await entry.runtime_data.coordinator.async_refresh()
    simulator.faults.add("server_error")
    freezer.tick(timedelta(minutes=9))
    await entry.runtime_data.coordinator.async_refresh()
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["coordinator"]["last_update_success"] is False
    assert found["coordinator"]["minutes_since_success"] == 9
    assert found["coordinator"]["error"] == "cannot_connect"
    assert found["callbacks"]["scheme"] is None
    assert found["callback_answers"] == {}
    assert found["problems"] == []


@pytest.mark.parametrize("url", [None, FOREIGN])
async def test_says_whether_another_url_was_replaced(
    hass: HomeAssistant, entry: ConfigEntry, url: str | None
) -> None:
    """A URL of ours may have replaced none."""
    previous = {"inbound": url, "status": None}
    data = {**entry.data, CONF_PREVIOUS_CALLBACKS: previous}
    hass.config_entries.async_update_entry(entry, data=data)
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["callbacks"]["replaced_another_url"] is (url is not None)


async def test_names_what_is_to_be_repaired(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A helper sees which repairs the person sees, without what they say."""
    put(simulator, provider, FOREIGN)
    await entry.runtime_data.registrar.async_inspect()
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["problems"] == ["callback_foreign"]
    assert FOREIGN not in json.dumps(found)


async def test_counts_callbacks(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """A flood of forgeries, or a proxy in the way, shows."""
    simulator.twilio.receive(SENDER, TEXT)
    await settle(hass, simulator)
    client = await hass_client_no_auth()
    path = f"/api/webhook/{twilio_entry.data[CONF_WEBHOOK_ID]}"
    for _ in range(2):
        assert (await client.post(path)).status == 403
    found = await async_get_config_entry_diagnostics(hass, twilio_entry)
    assert found["callback_answers"] == {"200": 1, "403": 2}


async def test_age_of_what_is_under_way(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A message that hangs is seen by its age."""
    await send(hass, twilio_entry, to="+15005552001")
    await settle(hass, simulator)
    freezer.tick(timedelta(minutes=7))
    found = await async_get_config_entry_diagnostics(hass, twilio_entry)
    assert found["store"]["pending"] == 1
    assert found["store"]["oldest_pending_minutes"] == 7


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("custom_components.virtual_sms.store.transaction._write", None),
        ("custom_components.virtual_sms.store.store._examine", "OperationalError"),
    ],
)
async def test_disk_that_fails(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    broken: str,
    told: str | None,
) -> None:
    """That is when diagnostics are asked for: what can be read is shown."""
    await send(hass, twilio_entry)
    await settle(hass, simulator)
    with patch(broken, side_effect=sqlite3.OperationalError("disk I/O error")):
        found = await async_get_config_entry_diagnostics(hass, twilio_entry)
    assert found["store"]["sent"] == 1
    assert found["store"].get("error") == told


async def test_number_that_does_not_run(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """That is when diagnostics are asked for."""
    revoke(simulator)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.config_entries.async_unload(entry.entry_id)
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["entry"]["provider"] == provider
    assert "store" not in found


async def test_cloud(hass: HomeAssistant, cloud: object, entry: ConfigEntry) -> None:
    """Whether callbacks come through the cloud is shown, and not by which URL."""
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["callbacks"]["home_has_cloud"] is True
    assert found["callbacks"]["scheme"] == "https"
