"""The life of a config entry, from its set-up to its removal."""

import asyncio
from datetime import timedelta
import logging
from pathlib import Path
import sqlite3
from typing import TYPE_CHECKING
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_WEBHOOK_ID,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_HOMEASSISTANT_STARTED,
    STATE_UNAVAILABLE,
)
from homeassistant.core import CoreState
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.accounts import ACCOUNTS
from custom_components.virtual_sms.callbacks.registrar import Registrar
from custom_components.virtual_sms.callbacks.resting import AT_WORK
from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.core.inbox import Inbox
from custom_components.virtual_sms.store.store import Store

from .home import SENDER, listen, refresh, revoke, send, settle, state
from .set_up import answer, set_up, to_callbacks

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


def stores(hass: HomeAssistant) -> list[str]:
    """List the files on disk."""
    storage = Path(hass.config.path(".storage"))
    return sorted(path.name for path in storage.glob(f"{DOMAIN}*"))


OF_THE_HOME = ["virtual_sms_change", "virtual_sms_people"]
"""Trust and Assist follow all numbers, as long as the home runs."""


def traces(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, object]:
    """Describe what a loaded entry leaves in Home Assistant."""
    signals = hass.data.get("dispatcher", {})
    return {
        "webhooks": [each for each in hass.data[AT_WORK] if each == entry.entry_id],
        "accounts": [
            [gateway.line.number for gateway in account.gateways]
            for account in hass.data.get(ACCOUNTS, {}).values()
        ],
        "notify": [
            each
            for each in hass.services.async_services().get("notify", ())
            if each not in {"persistent_notification", "send_message"}
        ],
        "signals": [
            each
            for each, listeners in signals.items()
            if listeners and str(each).startswith(DOMAIN)
        ],
        # Home Assistant's own stores listen as well while a save is due.
        "listeners": [
            job.target.__qualname__
            for job, _ in hass.bus._listeners[EVENT_HOMEASSISTANT_FINAL_WRITE]
            if DOMAIN in getattr(job.target, "__module__", "")
        ],
        "tasks": len(entry._background_tasks),
    }


async def test_device(hass: HomeAssistant, entry: ConfigEntry, provider: str) -> None:
    """A number is a device of its provider's."""
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.name == "My line"
    assert device.manufacturer == {"twilio": "Twilio", "ovh": "OVHcloud"}[provider]
    assert device.identifiers == {(DOMAIN, entry.entry_id)}
    assert device.entry_type is dr.DeviceEntryType.SERVICE


async def test_events_name_the_device(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Each event tells whose it is."""
    heard = listen(hass)
    await send(hass, entry)
    await settle(hass, simulator)
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert {each["device_id"] for each in heard.statuses} == {device.id}


async def test_unload_leaves_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """An unloaded number is neither seen nor heard, and returns as it was."""
    loaded = traces(hass, entry)
    assert loaded["webhooks"]
    assert loaded["accounts"]
    assert loaded["signals"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    await settle(hass, simulator)
    unloaded = traces(hass, entry)
    assert not unloaded["webhooks"]
    assert not unloaded["accounts"]
    assert not unloaded["notify"]
    assert unloaded["signals"] == OF_THE_HOME
    assert not unloaded["tasks"]
    # The room for what a full disk would not take is kept, as the disk may be full by then.
    name = f"{DOMAIN}.{entry.entry_id}"
    assert stores(hass) == [f"{name}.db", f"{name}.kept"]

    assert await hass.config_entries.async_setup(entry.entry_id)
    for _ in range(3):
        assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert traces(hass, entry) == loaded


async def test_remove_leaves_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """A removed number leaves nothing, neither here nor at the provider."""
    number = simulator.twilio.numbers[simulator.twilio.NUMBER]
    assert number.sms_url or simulator.ovh.service.cgi_url
    await send(hass, entry)
    await settle(hass, simulator)
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not number.sms_url
    assert not simulator.ovh.service.cgi_url
    assert not simulator.ovh.service.call_back
    assert not stores(hass)
    assert not traces(hass, entry)["webhooks"]
    assert entry.data[CONF_WEBHOOK_ID] not in hass.data["webhook"]
    assert not [each for each in hass.states.async_entity_ids() if "my_line" in each]
    assert hass.services.has_service(DOMAIN, "send_message")


async def test_removed_while_down(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A number can be removed while its provider is down."""
    simulator.faults.add("server_error", provider=provider)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert "clear it in the console" in caplog.text
    assert not stores(hass)


async def test_first_set_up_while_down(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """A number whose history cannot be read does not start, and tries again."""
    result = await to_callbacks(hass, simulator, provider, name="My line")
    simulator.faults.add("server_error", provider=provider, method="GET")
    result = await answer(hass, result, mode="polling")
    await hass.async_block_till_done()
    entry: ConfigEntry = result["result"]
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert not traces(hass, entry)["webhooks"]
    assert not traces(hass, entry)["accounts"]

    simulator.faults.clear()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=5))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED


async def test_first_set_up_with_a_revoked_key(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """Credentials that do not work any more are asked for anew."""
    result = await to_callbacks(hass, simulator, provider, name="My line")
    revoke(simulator)
    result = await answer(hass, result, mode="polling")
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.SETUP_ERROR
    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == "reauth"


async def test_restart_while_down(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A number that has run before starts without its provider, and can send."""
    simulator.faults.add("rate_limited", provider=provider)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert state(hass, entry, "balance").state == STATE_UNAVAILABLE
    assert state(hass, entry, "line_status").state == "unavailable"
    [message] = await send(hass, entry)
    assert message["status"] == "queued"

    await refresh(hass, simulator, entry)
    await refresh(hass, simulator, entry)
    errors = [each for each in caplog.records if each.levelname == "ERROR"]
    assert len(errors) == 1
    # In words, and by no name of ours.
    assert "Wait a minute and try again" in errors[0].getMessage()
    assert "rate_limited" not in errors[0].getMessage()


async def test_revoked_while_running(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """A key that is revoked is noticed by the next poll."""
    revoke(simulator)
    await refresh(hass, simulator, entry)
    await hass.async_block_till_done()
    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == "reauth"
    assert state(hass, entry, "line_status").state == "unavailable"


async def test_what_was_missed(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """History is never told; what came during a stop is told late, in order."""
    sim = simulator.providers[provider]
    now = dt_util.utcnow()
    sim.history(30, newest=now - timedelta(seconds=5), every=timedelta(minutes=1))
    heard = listen(hass)
    entry = await set_up(hass, simulator, provider, name="My line")
    await settle(hass, simulator)
    assert not heard.received

    assert await hass.config_entries.async_unload(entry.entry_id)
    for number in (3, 1, 2):
        at = now + timedelta(seconds=number)
        sim.receive(SENDER, f"message {number}", at=at, callback=False)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass, simulator)
    assert heard.texts == ["message 1", "message 2", "message 3"]
    assert {each["late"] for each in heard.received} == {True}
    assert [each["received_at"][17:19] for each in heard.received] == [
        f"{(now + timedelta(seconds=number)):%S}" for number in (1, 2, 3)
    ]
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert len(heard.received) == 3


async def test_held_until_started(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What comes while Home Assistant starts is told when automations listen."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    heard = listen(hass)
    simulator.twilio.receive(SENDER, "Hello")
    [message] = await send(hass, twilio_entry)
    await simulator.settled()
    inbound = [each for each in simulator.callbacks if each.kind == "inbound"]
    assert [each.status for each in inbound] == [200]
    assert not heard.received
    assert not heard.statuses
    assert state(hass, twilio_entry, "message").state == "unknown"

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]
    assert heard.course(message["message_id"])[-1] == "delivered"
    assert state(hass, twilio_entry, "message").state != "unknown"


async def test_unloaded_before_the_start(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """A number that goes before Home Assistant has started does not come back."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await hass.config_entries.async_unload(entry.entry_id)
    asked = len(simulator.requests)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass, simulator)
    assert len(simulator.requests) == asked


async def test_stop(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """When Home Assistant stops, all is on disk and the provider keeps our URL."""
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    with sqlite3.connect(
        hass.config.path(".storage", f"{DOMAIN}.{twilio_entry.entry_id}.db")
    ) as connection:
        assert connection.execute("SELECT count(*) FROM inbound").fetchone() == (0,)
    connection.close()
    assert simulator.twilio.numbers[simulator.twilio.NUMBER].sms_url
    simulator.twilio.receive(SENDER, "Too late")
    await settle(hass, simulator)
    assert {each.status for each in simulator.callbacks} == {503}


async def test_pruned_daily(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The store forgets once a day what is too old to matter."""
    store = twilio_entry.runtime_data.gateway.store
    with patch.object(store, "prune") as prune:
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=1, minutes=1))
        await hass.async_block_till_done(wait_background_tasks=True)
    prune.assert_awaited_once()


async def test_unloaded_while_pruning(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A number that is unloaded in the middle of it leaves nothing that fails."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=1, minutes=1))
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


async def test_bell_during_set_up(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """A bell that rings before the number is ready is heard."""
    entry = await set_up(hass, simulator, "ovh", name="My line")
    assert await hass.config_entries.async_unload(entry.entry_id)
    heard = listen(hass)

    async def ring(_: Inbox) -> None:
        simulator.faults.add("server_error", provider="ovh", path="incoming", times=1)
        simulator.ovh.receive(SENDER, "Hello")
        await simulator.settled()

    with patch.object(Inbox, "begin", ring):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]


@pytest.mark.parametrize("place", ["async_setup_notify", "Monitor"])
async def test_trouble_after_the_platforms(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, place: str
) -> None:
    """A set-up that fails late leaves nothing behind that would keep the next one."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    with patch(f"custom_components.virtual_sms.{place}", side_effect=LookupError):
        assert not await hass.config_entries.async_setup(twilio_entry.entry_id)
    assert twilio_entry.state is ConfigEntryState.SETUP_ERROR
    assert not traces(hass, twilio_entry)["accounts"]
    assert not traces(hass, twilio_entry)["notify"]
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert twilio_entry.state is ConfigEntryState.LOADED
    await send(hass, twilio_entry)
    await settle(hass, simulator)


@pytest.mark.parametrize("ending", ["reload", "unload"])
async def test_reload_while_the_home_starts(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ending: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A start that is under way when its number goes ends with it, and in silence."""
    entry_id = twilio_entry.entry_id
    loaded = traces(hass, twilio_entry)
    assert await hass.config_entries.async_unload(entry_id)
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(entry_id)
    go, follow = asyncio.Event(), Registrar.async_follow
    begun: list[Registrar] = []

    async def hold(registrar: Registrar) -> None:
        begun.append(registrar)
        await go.wait()
        await follow(registrar)

    with patch.object(Registrar, "async_follow", hold):
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        while not begun:
            await asyncio.sleep(0)
        assert await hass.config_entries.async_unload(entry_id)
        go.set()
        await hass.async_block_till_done(wait_background_tasks=True)
    assert len(begun) == 1
    if ending == "reload":
        assert await hass.config_entries.async_setup(entry_id)
        await settle(hass, simulator)
        assert traces(hass, twilio_entry) == loaded
    else:
        assert traces(hass, twilio_entry)["signals"] == OF_THE_HOME
        assert not twilio_entry._on_unload
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_start_that_fails_with_the_home(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What goes wrong after the home has started is in the log, once."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    with patch("custom_components.virtual_sms.Monitor", side_effect=LookupError):
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await settle(hass, simulator)
    errors = [each for each in caplog.records if each.levelname == "ERROR"]
    assert [each.getMessage() for each in errors] == ["A number could not go to work"]


async def test_disk_that_fails_when_old_messages_go(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A number works on, and forgets them another day."""
    with patch(
        "custom_components.virtual_sms.store.store.Store.prune",
        side_effect=sqlite3.OperationalError("disk full"),
    ):
        assert await hass.config_entries.async_reload(twilio_entry.entry_id)
        await settle(hass, simulator)
    assert twilio_entry.state is ConfigEntryState.LOADED
    assert "kept a day longer" in caplog.text


async def test_a_set_up_waits_for_no_tidying(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What is old goes beside the work, and not once its number is at rest again."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def prune(_: Store) -> None:
        begun.set()
        await may_end.wait()

    with patch.object(Store, "prune", prune):
        assert await hass.config_entries.async_reload(twilio_entry.entry_id)
        await begun.wait()
        assert len(await send(hass, twilio_entry)) == 1
        with patch.object(Inbox, "catch_up_receipts") as asked:
            assert await hass.config_entries.async_unload(twilio_entry.entry_id)
            may_end.set()
            await settle(hass, simulator)
    asked.assert_not_called()


async def test_polls_without_entities(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A number whose entities are all disabled hears what no callback brought."""
    registry = er.async_get(hass)
    for each in er.async_entries_for_config_entry(registry, twilio_entry.entry_id):
        registry.async_update_entity(
            each.entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    await settle(hass, simulator)
    heard = listen(hass)
    simulator.twilio.receive(SENDER, "Hello", callback=False)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=11))
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]


@pytest.mark.parametrize("failure", [LookupError(), TimeoutError()])
@pytest.mark.parametrize("place", ["erase", "release", "forget"])
async def test_removal_that_fails_somewhere(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    place: str,
    failure: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What cannot be cleared in one place keeps nothing in the others, and is said."""
    targets = {
        "erase": "store.database.Database.erase",
        "release": "async_release_callbacks",
        "forget": "async_forget_callback_url",
    }
    target = f"custom_components.virtual_sms.{targets[place]}"
    with patch(target, side_effect=failure):
        assert await hass.config_entries.async_remove(twilio_entry.entry_id)
    number = simulator.twilio.numbers[simulator.twilio.NUMBER]
    assert bool(stores(hass)) is (place == "erase")
    assert bool(number.sms_url) is (place == "release")
    assert "Something of a removed number was left" in caplog.text


async def test_removal_erases_first(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """When the provider is asked, nothing is left here, damaged files included."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    path = Path(hass.config.path(".storage", f"{DOMAIN}.{entry.entry_id}.db"))
    for suffix in (".damaged", ".damaged-wal", ".renewed", ".suspect", ".db-wal"):
        path.with_suffix(suffix).write_bytes(b"")
    left: list[list[str]] = []

    async def release(*_: object) -> None:
        left.append(stores(hass))

    with patch("custom_components.virtual_sms.async_release_callbacks", release):
        assert await hass.config_entries.async_remove(entry.entry_id)
    assert left == [[]]
