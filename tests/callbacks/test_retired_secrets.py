"""A replaced token leaves the disk as soon as it counts no more."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from twilio.request_validator import RequestValidator

from custom_components.virtual_sms.adapters.twilio.adapter import TwilioAdapter
from custom_components.virtual_sms.callbacks.retired_secrets import PAUSE
from custom_components.virtual_sms.const import CONF_CALLBACK_URL, CONF_CREDENTIALS
from simulator import FaultKind
from tests.home import listen, settle

from .test_webhook import FORM, inbound, path

if TYPE_CHECKING:
    from aiohttp.test_utils import TestClient
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

    from simulator import Simulator

OLD, NEW = "77" * 16, "88" * 16
DAY = timedelta(days=1)


@pytest.fixture
async def client(
    home_url: str, hass_client_no_auth: ClientSessionGenerator
) -> TestClient[Any, Any]:
    """Be anyone on the internet."""
    return await hass_client_no_auth()


async def rotate(
    hass: HomeAssistant, sim: Simulator, entry: ConfigEntry, until: str | None
) -> None:
    """Have the token replaced, and the number loaded anew."""
    sim.twilio.auth_token = NEW
    stored = {
        **entry.data[CONF_CREDENTIALS],
        "auth_token": NEW,
        "previous_auth_token": OLD,
    }
    if until is not None:
        stored["previous_auth_token_until"] = until
    data = {**entry.data, CONF_CREDENTIALS: stored}
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_reload(entry.entry_id)


def in_a_day() -> str:
    """Say until when a token counts that is replaced now."""
    return (dt_util.utcnow() + DAY).isoformat()


def kept(entry: ConfigEntry) -> set[str]:
    """Name what is kept of a token that was replaced."""
    return {key for key in entry.data[CONF_CREDENTIALS] if "previous" in key}


async def deliver(
    client: TestClient[Any, Any], sim: Simulator, entry: ConfigEntry, token: str
) -> int:
    """Bring a message as Twilio does, and return how it was answered."""
    fields = inbound(sim)
    signature = RequestValidator(token).compute_signature(
        entry.data[CONF_CALLBACK_URL], fields
    )
    headers = FORM | {"X-Twilio-Signature": signature}
    response = await client.post(path(entry), data=fields, headers=headers)
    return response.status


async def test_old_token_counts_until_the_new_one_signed(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """The first callback that the new token signed takes the old one off the disk.

    The number is not loaded anew for that.
    """
    entry = twilio_entry
    await rotate(hass, simulator, entry, in_a_day())
    heard, runtime = listen(hass), entry.runtime_data
    assert await deliver(client, simulator, entry, OLD) == 200
    assert len(kept(entry)) == 2

    assert await deliver(client, simulator, entry, NEW) == 200
    assert not kept(entry)
    assert OLD not in str(entry.as_dict())
    assert entry.data[CONF_CREDENTIALS]["auth_token"] == NEW
    assert await deliver(client, simulator, entry, OLD) == 403
    assert await deliver(client, simulator, entry, NEW) == 200
    await settle(hass, simulator)
    assert len(heard.received) == 3
    assert entry.runtime_data is runtime


async def test_old_token_is_over_after_a_day(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """It leaves the disk when its day is over, though nothing came meanwhile."""
    entry = twilio_entry
    await rotate(hass, simulator, entry, in_a_day())
    freezer.tick(DAY - timedelta(minutes=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert len(kept(entry)) == 2
    assert await deliver(client, simulator, entry, OLD) == 200

    freezer.tick(timedelta(minutes=2))
    assert await deliver(client, simulator, entry, OLD) == 403
    freezer.tick(PAUSE)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert not kept(entry)


@pytest.mark.parametrize(
    "until",
    [
        None,
        "whenever",
        (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        (datetime.now(UTC) + timedelta(days=8)).isoformat(),
    ],
    ids=["missing", "unreadable", "over", "too far"],
)
async def test_restart_ends_what_is_over(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
    until: str | None,
) -> None:
    """At the next start it is gone, be the provider there or not."""
    simulator.faults.add(FaultKind.SERVER_ERROR)
    await rotate(hass, simulator, twilio_entry, until)
    assert not kept(twilio_entry)
    simulator.faults.clear()
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert twilio_entry.state is ConfigEntryState.LOADED
    assert await deliver(client, simulator, twilio_entry, OLD) == 403
    assert await deliver(client, simulator, twilio_entry, NEW) == 200


async def test_old_token_outlives_a_restart_within_its_day(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """A restart neither ends the day nor begins it anew."""
    until = in_a_day()
    await rotate(hass, simulator, twilio_entry, until)
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    stored = twilio_entry.data[CONF_CREDENTIALS]
    assert stored["previous_auth_token_until"] == until
    assert await deliver(client, simulator, twilio_entry, OLD) == 200


async def test_renewed_credentials_are_left_alone(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What a form has just stored is not judged by the adapter it replaces."""
    entry = twilio_entry
    await rotate(hass, simulator, entry, in_a_day())
    runtime, data = entry.runtime_data, entry.data
    stored = {**data[CONF_CREDENTIALS], "auth_token": "99" * 16}
    hass.config_entries.async_update_entry(
        entry, data={**data, CONF_CREDENTIALS: stored | {"previous_auth_token": NEW}}
    )
    with patch.object(TwilioAdapter, "has_retired_secrets", new=True):
        runtime.retired_secrets.async_clear()
    assert entry.data[CONF_CREDENTIALS]["previous_auth_token"] == NEW


async def test_number_without_a_replaced_token(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """Who never replaced anything has nothing to clear."""
    before = entry.data
    entry.runtime_data.retired_secrets.async_clear()
    assert entry.data is before
