"""Repair issues: their words, and what a machine mends."""

import json
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.components import repairs
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.adapters.errors import ProviderUnavailableError
from custom_components.virtual_sms.const import (
    CONF_CALLBACK_URL,
    CONF_PREVIOUS_CALLBACKS,
    DOMAIN,
)
from custom_components.virtual_sms.issues import (
    TRAITS,
    Problem,
    async_raise_issue,
    issue_id,
)
from custom_components.virtual_sms.repairs import _FLOWS, async_create_fix_flow

from . import test_incoming_calls as incoming_calls, test_storage as storage
from .actions import test_calls as calls, test_limits as limits
from .callbacks import test_registrar as registration
from .callbacks.test_registrar import FOREIGN, change_address, issues, put, standing
from .home import settle
from .monitoring import test_monitor as monitor

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowManager
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

ROOT = Path(__file__).parents[1] / "custom_components" / DOMAIN
NEEDS = {
    Problem.RECORDS_UNREADABLE: {"count"},
    Problem.ADDRESS_CHANGED: {"callback_url"},
    Problem.BALANCE_LOW: {"balance"},
    Problem.CALLBACK_FOREIGN: {"foreign_url"},
    Problem.CREDENTIALS_EXPIRING: {"date"},
    Problem.LIMIT_REACHED: {"sentence"},
    Problem.CALLBACK_CHECK: {"explanation"},
    Problem.STORAGE_DAMAGED: {"file", "lost"},
    Problem.VOICE_FOREIGN: {"foreign_url"},
}


async def begin(
    manager: RepairsFlowManager, entry: ConfigEntry, problem: Problem
) -> Any:
    """Select a repair."""
    context: Any = {"issue_id": issue_id(entry, problem)}
    return await manager.async_init(
        DOMAIN, context=context, data={"issue_id": issue_id(entry, problem)}
    )


async def submit(manager: RepairsFlowManager, result: Any) -> Any:
    """Agree."""
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "confirm"
    return await manager.async_configure(result["flow_id"], {})


async def fix(manager: RepairsFlowManager, entry: ConfigEntry, problem: Problem) -> Any:
    """Select a repair and agree."""
    return await submit(manager, await begin(manager, entry, problem))


async def test_register_again(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
) -> None:
    """A URL that is missing is set again."""
    put(simulator, provider, "")
    await entry.runtime_data.registrar.async_inspect()
    assert issues(hass) == {"callback_missing"}
    result = await fix(manager, entry, Problem.CALLBACK_MISSING)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert standing(simulator, provider) == {entry.data[CONF_CALLBACK_URL]}
    assert not issues(hass)


async def test_register_again_in_vain(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
) -> None:
    """What keeps a repair from its end is said, and it can be tried again."""
    put(simulator, provider, "")
    await entry.runtime_data.registrar.async_inspect()
    result = await begin(manager, entry, Problem.CALLBACK_MISSING)

    fault = simulator.faults.add("server_error", provider=provider)
    result = await submit(manager, result)
    assert result["errors"] == {"base": "failed"}
    assert result["description_placeholders"]["reason"]
    simulator.faults.active.remove(fault)

    put(simulator, provider, FOREIGN)
    result = await submit(manager, result)
    assert "Another application" in result["description_placeholders"]["reason"]
    put(simulator, provider, "")

    address = hass.config.external_url
    hass.config.external_url = None
    result = await submit(manager, result)
    assert "external URL" in result["description_placeholders"]["reason"]
    hass.config.external_url = address

    result = await submit(manager, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not issues(hass)


async def test_take_over(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
) -> None:
    """A foreign URL is replaced after a question, and comes back in the end."""
    put(simulator, provider, FOREIGN)
    await entry.runtime_data.registrar.async_inspect()
    result = await begin(manager, entry, Problem.CALLBACK_FOREIGN)
    assert result["description_placeholders"]["foreign_url"] == FOREIGN
    assert standing(simulator, provider) == {FOREIGN}
    result = await submit(manager, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert standing(simulator, provider) == {entry.data[CONF_CALLBACK_URL]}
    assert entry.data[CONF_PREVIOUS_CALLBACKS]["inbound"] == FOREIGN
    assert not issues(hass)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert standing(simulator, provider) == {FOREIGN}


async def test_take_over_in_two_steps(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
) -> None:
    """What was replaced is remembered, though the provider's answer never came."""
    put(simulator, provider, FOREIGN)
    await entry.runtime_data.registrar.async_inspect()
    result = await begin(manager, entry, Problem.CALLBACK_FOREIGN)
    write = ADAPTERS[provider].set_callbacks

    async def write_in_silence(*arguments: Any) -> None:
        await write(*arguments)
        raise ProviderUnavailableError

    with patch.object(ADAPTERS[provider], "set_callbacks", write_in_silence):
        result = await submit(manager, result)
    assert result["errors"] == {"base": "failed"}
    result = await submit(manager, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert standing(simulator, provider) == {FOREIGN}


@pytest.mark.parametrize("mode", ["manual"])
async def test_pasted(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    entry: ConfigEntry,
) -> None:
    """Callbacks are checked against the new URL once the person has pasted it."""
    await change_address(hass, "https://new.example")
    result = await begin(manager, entry, Problem.ADDRESS_CHANGED)
    url = result["description_placeholders"]["callback_url"]
    assert url.startswith("https://new.example/api/webhook/")
    assert entry.data[CONF_CALLBACK_URL] != url
    result = await submit(manager, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.data[CONF_CALLBACK_URL] == url
    assert entry.runtime_data.gateway.line.callback_url == url
    assert not issues(hass)


async def test_renew(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
) -> None:
    """A key that expires soon leads to the form for another one."""
    async_raise_issue(hass, ovh_entry, Problem.CREDENTIALS_EXPIRING, date="2026-12-01")
    result = await fix(manager, ovh_entry, Problem.CREDENTIALS_EXPIRING)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert not issues(hass)


async def test_check_again(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    entry: ConfigEntry,
) -> None:
    """Callbacks are checked again until they arrive."""
    good = entry.data[CONF_CALLBACK_URL]
    bad = {**entry.data, CONF_CALLBACK_URL: "http://127.0.0.1:1/hook"}
    hass.config_entries.async_update_entry(entry, data=bad)
    async_raise_issue(hass, entry, Problem.CALLBACK_CHECK, explanation="Nothing there.")
    result = await fix(manager, entry, Problem.CALLBACK_CHECK)
    assert result["errors"] == {"base": "failed"}
    assert "Nothing answers" in result["description_placeholders"]["reason"]
    assert issues(hass) == {"return_path"}
    data = {**entry.data, CONF_CALLBACK_URL: good}
    hass.config_entries.async_update_entry(entry, data=data)
    result = await submit(manager, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not issues(hass)


async def test_check_again_finds_something_else(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
) -> None:
    """The repair that can replace the address takes the place of the check's."""
    async_raise_issue(hass, entry, Problem.CALLBACK_CHECK, explanation="Nothing there.")
    put(simulator, provider, FOREIGN)
    result = await fix(manager, entry, Problem.CALLBACK_CHECK)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert issues(hass) == {"callback_foreign"}
    result = await fix(manager, entry, Problem.CALLBACK_FOREIGN)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not issues(hass)


async def test_confirmed(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
) -> None:
    """What only the person knows to be fixed is taken at their word."""
    async_raise_issue(hass, twilio_entry, Problem.COUNTRY_NOT_ENABLED)
    result = await fix(manager, twilio_entry, Problem.COUNTRY_NOT_ENABLED)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not issues(hass)


async def test_number_at_rest(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
) -> None:
    """A number that is not loaded cannot be fixed."""
    async_raise_issue(hass, twilio_entry, Problem.CALLBACK_MISSING)
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    result = await begin(manager, twilio_entry, Problem.CALLBACK_MISSING)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_loaded"
    await settle(hass, simulator)


@pytest.mark.parametrize("data", [None, {}, {"entry_id": "x", "problem": "no_credit"}])
async def test_unknown_issue(hass: HomeAssistant, data: Any) -> None:
    """An issue of a number that is gone can only be taken back."""
    flow = await async_create_fix_flow(hass, "callback_missing_x", data)
    assert isinstance(flow, repairs.ConfirmRepairFlow)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("problem", Problem)
def test_words(language: str, problem: Problem) -> None:
    """Every problem is explained, and every repair says what it does."""
    path = ROOT / "translations" / f"{language}.json"
    words = json.loads(path.read_text("utf-8"))["issues"][problem]
    fixable = TRAITS[problem].fixable
    assert set(words) == {"title", "fix_flow" if fixable else "description"}
    flow = words.get("fix_flow", {})
    shown = flow["step"]["confirm"]["description"] if fixable else words["description"]
    used = {
        name
        for text in (shown, words["title"])
        for _, name, *_ in Formatter().parse(text)
    } - {None}
    assert used - {"name", "provider"} == NEEDS.get(problem, set())
    assert set(flow.get("error", {})) == ({"failed"} if problem in _FLOWS else set())
    assert set(flow.get("abort", {})) == (
        {"not_loaded"} if problem in _FLOWS else set()
    )


def test_no_words_without_a_problem() -> None:
    """Nothing is explained that cannot happen."""
    words = json.loads((ROOT / "translations" / "en.json").read_text("utf-8"))
    assert set(words["issues"]) == {
        *Problem,
        "assist_missing",
        "callbacks_rejected",
        "card_resource",
        "contact_locked",
        "group_empty",
        "home_storage_damaged",
    }
    assert set(TRAITS) == set(Problem)
    assert all(TRAITS[problem].fixable for problem in _FLOWS)


async def test_lasting(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What no check would find again is kept over a restart, and the rest is not."""
    for problem in Problem:
        async_raise_issue(hass, twilio_entry, problem)
    registry = ir.async_get(hass)
    kept = {
        str(each.translation_key)
        for each in registry.issues.values()
        if each.is_persistent
    }
    assert kept == {each.value for each, traits in TRAITS.items() if traits.lasting}


COMES_AND_GOES = {
    Problem.ADDRESS_CHANGED: registration.test_pasted_address_changes,
    Problem.BALANCE_LOW: monitor.test_balance,
    Problem.CALLBACK_FOREIGN: registration.test_foreign_url_is_shown,
    Problem.CALLBACK_MISSING: monitor.test_url_removed,
    Problem.CALLBACK_OVERRULED: registration.test_overruled,
    Problem.CALLBACK_PERHAPS_OVERRULED: monitor.test_messaging_service,
    Problem.COUNTRY_NOT_ENABLED: monitor.test_advice,
    Problem.CREDENTIALS_EXPIRING: monitor.test_key_expires,
    Problem.LIMIT_REACHED: limits.test_a_reached_limit_comes_and_goes,
    Problem.NO_CREDIT: monitor.test_out_of_credit_when_sending,
    Problem.NO_PUBLIC_URL: registration.test_address_goes_and_comes,
    Problem.NUMBER_GONE: monitor.test_number_released,
    Problem.RECORDS_UNREADABLE: monitor.test_records_that_cannot_be_read,
    Problem.REGISTRATION_MISSING: monitor.test_advice,
    Problem.CALLBACK_CHECK: monitor.test_callbacks_are_blocked,
    Problem.SERVICE_EXPIRED: monitor.test_service_expired,
    Problem.STORAGE_DAMAGED: storage.test_a_damaged_file_is_shown,
    Problem.STORAGE_UNWRITABLE: storage.test_a_disk_that_takes_nothing_is_shown,
    Problem.TRIAL_LIMITS: monitor.test_advice,
    Problem.VOICE_COUNTRY_NOT_ENABLED: calls.test_a_country_that_is_not_enabled,
    Problem.VOICE_FOREIGN: incoming_calls.test_the_url_is_watched,
    Problem.VOICE_MISSING: incoming_calls.test_the_url_is_watched,
    Problem.VOICE_OVERRULED: incoming_calls.test_an_application_that_takes_the_calls,
}
"""Where each is raised by what happens, and taken back by what happens."""


def test_every_problem_comes_and_goes_by_itself() -> None:
    """Who adds a problem adds a test of how it appears and how it goes."""
    assert set(COMES_AND_GOES) == set(Problem)
