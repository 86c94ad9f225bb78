"""Whom a home believes, from the contact's form to the bus event and the repair."""

from datetime import timedelta
import json
import logging
from pathlib import Path
import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.components import repairs
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pyotp
import pytest

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.people import trust
from tests.flows.test_contact_code import go_on, shown_code

from ..contacts import (
    BOB,
    OTHER_NUMBER,
    add_contact,
    change,
    entity_of,
    fill_in,
    find,
    read,
    remove,
)
from ..home import RECIPIENT, SENDER, listen, send, settle, state

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry, ConfigSubentry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

PIN = "4711"


async def add_bob(
    hass: HomeAssistant, entry: ConfigEntry, code: str = "pin"
) -> tuple[ConfigSubentry, str]:
    """Add a contact who may command with a code; return the PIN or the app's key."""
    fields = {"name": "Bob", "numbers": [RECIPIENT], "may_command": True, "code": code}
    result = await fill_in(hass, entry, **fields)
    given = result["description_placeholders"] or {}
    secret = given.get("key", PIN)
    typed = {"pin": PIN} if code == "pin" else {"code": shown_code(secret)}
    result = await go_on(hass, result, **typed)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    return find(entry, "Bob"), secret


async def write(
    hass: HomeAssistant, sim: Simulator, provider: str, *messages: str
) -> list[tuple[str, str]]:
    """Have Bob write, and return whom the home believes and what it reads."""
    heard = listen(hass)
    for text in messages:
        sim.providers[provider].receive(RECIPIENT, text)
        await settle(hass, sim)
    return [(each["trust"], each["text"]) for each in heard.received]


def find_issue(hass: HomeAssistant, bob: ConfigSubentry) -> ir.IssueEntry | None:
    """Return the repair that unlocks."""
    found = f"contact_locked_{bob.subentry_id}"
    return ir.async_get(hass).async_get_issue(DOMAIN, found)


async def lock(hass: HomeAssistant, sim: Simulator, provider: str) -> None:
    """Have Bob send five wrong codes."""
    said = await write(hass, sim, provider, *(f"{n} open" for n in range(1000, 1005)))
    assert [each for each, _ in said] == ["unproven"] * 4 + ["locked"]


async def submit(hass: HomeAssistant, bob: ConfigSubentry) -> repairs.RepairsFlowResult:
    """Select Submit in the repair."""
    assert await async_setup_component(hass, "repairs", {})
    manager = repairs.repairs_flow_manager(hass)
    assert manager is not None
    issue = f"contact_locked_{bob.subentry_id}"
    result = await manager.async_init(DOMAIN, data={"issue_id": issue})
    assert result["type"] is FlowResultType.FORM
    result = await manager.async_configure(result["flow_id"], {})
    await hass.async_block_till_done()
    return result


async def test_a_command_with_the_right_pin(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """It is believed, and the code is taken out before anybody sees the text."""
    bob, _ = await add_bob(hass, entry)
    said = await write(
        hass,
        simulator,
        provider,
        "4711 open garage",
        "open garage 4711.",
        "4711",
        "open garage",
        "1234 open garage",
    )
    assert said == [
        ("trusted", "open garage"),
        ("trusted", "open garage"),
        ("trusted", ""),
        ("unproven", "open garage"),
        ("unproven", "1234 open garage"),
    ]
    shown = hass.states.get(entity_of(hass, entry, bob, "message"))
    assert shown is not None
    assert shown.attributes["trust"] == "unproven"


async def test_a_code_is_nowhere(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither in an event, nor a state, the log, or on disk."""
    caplog.set_level(logging.DEBUG)
    await add_bob(hass, entry)
    fired: list[str] = []
    hass.bus.async_listen("*", lambda event: fired.append(str(event.data)))
    caplog.clear()
    await write(hass, simulator, provider, "4711 open sesame")
    ours = [each for each in caplog.records if DOMAIN in each.name]
    assert "4711 open" not in "".join(fired)
    assert not [each for each in ours if "4711 open" in each.getMessage()]
    assert not any(
        "4711 open" in str(each.attributes) for each in hass.states.async_all()
    )
    for path in Path(hass.config.path(".storage")).glob(f"{DOMAIN}.*"):
        assert b"4711 open" not in path.read_bytes()


async def test_a_code_of_an_app_counts_once(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The one that proved the app at the set-up counts as used, on every line."""
    _, key = await add_bob(hass, entry, "totp")
    first = shown_code(key)
    assert await write(hass, simulator, provider, f"open {first}") == [
        ("unproven", "open")
    ]
    at = dt_util.utcnow() + timedelta(seconds=30)
    following = pyotp.TOTP(key).at(at)
    said = await write(
        hass, simulator, provider, f"open {following}", f"close {following}"
    )
    assert said == [("trusted", "open"), ("unproven", "close")]


async def test_five_wrong_codes_lock(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """One repair, also after a restart, and nobody is answered; Submit unlocks."""
    bob, _ = await add_bob(hass, entry)
    status = entity_of(hass, entry, bob, "status")
    await lock(hass, simulator, provider)
    assert find_issue(hass, bob) is not None
    assert read(hass, status) == "locked"
    assert not simulator.providers[provider].messages or all(
        each.inbound for each in simulator.providers[provider].messages
    )
    # Nothing of the process is left but what is on disk.
    del hass.data[trust.TRUST]
    ir.async_delete_issue(hass, DOMAIN, f"contact_locked_{bob.subentry_id}")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass, simulator)
    assert find_issue(hass, bob) is not None
    said = await write(hass, simulator, provider, "4711 open", "hello")
    assert said == [("locked", "open"), ("locked", "hello")]
    with patch(
        "custom_components.virtual_sms.store.codes.CodeTable.unlock",
        side_effect=sqlite3.OperationalError,
    ):
        result = await submit(hass, bob)
    assert result["errors"] == {"base": "failed"}
    assert await write(hass, simulator, provider, "4711 open") == [("locked", "open")]
    result = await submit(hass, bob)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert find_issue(hass, bob) is None
    assert read(hass, status) == "reachable"
    assert await write(hass, simulator, provider, "4711 open") == [("trusted", "open")]
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert await write(hass, simulator, provider, "4711 open") == [("trusted", "open")]


async def test_unlocked_while_a_line_is_at_rest(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """What that line knows of the lock does not come back with the next restart."""
    bob, _ = await add_bob(hass, twilio_entry)
    await lock(hass, simulator, "ovh")
    entries = hass.config_entries
    assert await entries.async_unload(ovh_entry.entry_id)
    assert (await submit(hass, bob))["type"] is FlowResultType.CREATE_ENTRY
    assert await entries.async_setup(ovh_entry.entry_id)
    await settle(hass, simulator)
    del hass.data[trust.TRUST]
    for each in (ovh_entry, twilio_entry):
        assert await entries.async_reload(each.entry_id)
    await settle(hass, simulator)
    assert find_issue(hass, bob) is None
    assert await write(hass, simulator, "ovh", "4711 open") == [("trusted", "open")]


async def test_a_lock_is_known_before_its_line_is_loaded(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """The repair, which Home Assistant keeps, tells the other lines as well."""
    bob, _ = await add_bob(hass, entry)
    await lock(hass, simulator, provider)
    found = find_issue(hass, bob)
    assert found is not None
    assert found.is_persistent
    anew = trust.Trust(hass)
    assert anew._memory.is_locked(bob.subentry_id)


async def test_a_contact_that_goes_takes_its_lock_along(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """No repair is left, and nothing in the file."""
    bob, _ = await add_bob(hass, entry)
    await lock(hass, simulator, provider)
    await remove(hass, entry, bob)
    await settle(hass, simulator)
    assert find_issue(hass, bob) is None
    rows = await entry.runtime_data.gateway.store.codes.read()
    assert not rows.locked
    assert not rows.attempts
    assert await write(hass, simulator, provider, "4711 open") == [
        ("unknown", "4711 open")
    ]


async def test_a_disk_that_fails_keeps_no_contact_from_going(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """What cannot be forgotten or read now is no reason to fail."""
    bob, _ = await add_bob(hass, entry)
    store = entry.runtime_data.gateway.store
    error = sqlite3.OperationalError
    with (
        patch.object(type(store.codes), "forget", side_effect=error),
        patch.object(type(store.consent), "list_stopped", side_effect=error),
    ):
        assert await write(hass, simulator, provider, "START") == [
            ("unproven", "START")
        ]
        await remove(hass, entry, bob)
        await settle(hass, simulator)


async def test_who_is_who(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A stranger is unknown, a contact known; without a code, commands are trusted."""
    heard = listen(hass)
    await add_contact(hass, entry, "Anna", SENDER)
    bob = await add_contact(hass, entry, may_command=True)
    for number in ("+33611111111", SENDER, RECIPIENT):
        simulator.providers[provider].receive(number, "Open 4711")
        await settle(hass, simulator)
    trusts = [each["trust"] for each in heard.received]
    assert trusts == ["unknown", "known", "trusted"]
    fields = {"name": "Bob", "numbers": [RECIPIENT]}
    await change(hass, entry, bob, **fields, may_command=False)
    assert await write(hass, simulator, provider, "Open") == [("known", "Open")]


async def test_an_old_command_is_not_believed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The option `command_max_age` says how old, 300 seconds if it does not."""
    await add_bob(hass, entry)
    heard = listen(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    simulator.providers[provider].receive(RECIPIENT, "4711 open")
    await settle(hass, simulator)
    freezer.tick(400)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass, simulator)
    assert [(each["trust"], each["text"]) for each in heard.received] == [
        ("unproven", "open")
    ]


@pytest.mark.parametrize("privacy", ["masked", "metadata"])
async def test_trust_is_told_whatever_the_privacy(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    privacy: str,
) -> None:
    """`masked` keeps contact and trust, `metadata` trust only."""
    await add_bob(hass, entry)
    hass.config_entries.async_update_entry(entry, options={"privacy": privacy})
    heard = listen(hass)
    await write(hass, simulator, provider, "4711 open the garage")
    [event] = heard.received
    assert event["trust"] == "trusted"
    is_masked = privacy == "masked"
    assert event["contact"] == ("Bob" if is_masked else None)
    assert (event["contact_id"] is None) is not is_masked
    assert "4711" not in json.dumps(event, default=str).replace(event["message_id"], "")


async def test_the_word_of_the_provider_shows_in_the_status(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who has opted out at the provider is shown so from the first refusal on."""
    number = "+15005550004"  # It refuses what is sent there, with 21610.
    bob = await add_contact(hass, twilio_entry, numbers=[number])
    status = entity_of(hass, twilio_entry, bob, "status")
    assert read(hass, status) == "reachable"
    await send(hass, twilio_entry, to=[number, SENDER])
    await settle(hass, simulator)
    assert read(hass, status) == "opted_out"


async def test_a_delivery_asks_for_no_consent(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Only what may change a consent has the contacts' looked up, however many go out."""
    await add_contact(hass, entry)
    consent = entry.runtime_data.gateway.store.consent
    with patch.object(consent, "list_stopped", wraps=consent.list_stopped) as look_up:
        await send(hass, entry, to=[RECIPIENT, SENDER])
        await settle(hass, simulator)
    assert not look_up.called


async def test_stop_shows_in_the_status_of_a_contact(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """`opted_out` until they want messages again, over restarts."""
    bob = await add_contact(hass, entry)
    status = entity_of(hass, entry, bob, "status")
    await write(hass, simulator, provider, "Stop")
    assert read(hass, status) == "opted_out"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass, simulator)
    assert read(hass, status) == "opted_out"
    [answer, _] = await send(hass, entry, to=[RECIPIENT, SENDER])
    assert answer["reason"] == "opted_out"
    await write(hass, simulator, provider, "START")
    assert read(hass, status) == "reachable"


async def test_who_opted_out_before_they_became_a_contact(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """The status is that of the number that is texted: a new one is looked up."""
    await write(hass, simulator, provider, "Stop")
    bob = await add_contact(hass, entry)
    await settle(hass, simulator)
    status = entity_of(hass, entry, bob, "status")
    assert read(hass, status) == "opted_out"
    await change(hass, entry, bob, name=BOB, numbers=[OTHER_NUMBER, RECIPIENT])
    await settle(hass, simulator)
    assert read(hass, status) == "reachable"


# What it costs


def cost_of(provider: str, segments: int = 1) -> dict[str, Any]:
    """Return what a message costs, as events tell it."""
    if provider == "ovh":
        return {"credits": float(segments)}
    return {"amount": round(0.0079 * segments, 6), "currency": "USD"}


async def test_segments_and_cost(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A late price is asked for, and counted once, also when it is read again."""
    heard = listen(hass)
    [answer] = await send(hass, entry, message="x" * 200)
    assert answer["cost"] == (cost_of(provider, 2) if provider == "ovh" else None)
    await settle(hass, simulator)
    assert state(hass, entry, "segments").state == "2"
    assert heard.statuses[0]["cost"] is None
    for _ in range(3):
        freezer.tick(70)
        await entry.runtime_data.coordinator.async_refresh()
        await settle(hass, simulator)
    shown = state(hass, entry, "cost")
    [amount, *_] = cost_of(provider, 2).values()
    assert float(shown.state) == pytest.approx(amount)
    assert shown.attributes["state_class"] == "total"
    assert shown.attributes["last_reset"].endswith(("00:00", "01T00:00:00-07:00"))
    unit = {"ovh": "credits", "twilio": "USD"}[provider]
    assert shown.attributes["unit_of_measurement"] == unit
    is_money = shown.attributes.get("device_class") == "monetary"
    assert is_money is (provider == "twilio")
