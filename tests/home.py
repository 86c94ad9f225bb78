"""What a home sees of its numbers, and does with them."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from homeassistant.components.logbook.helpers import async_determine_event_types
from homeassistant.components.logbook.models import LogbookConfig
from homeassistant.components.logbook.processor import EventProcessor
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from homeassistant.util.json import json_loads_object
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.virtual_sms import logbook
from custom_components.virtual_sms.accounts import ACCOUNTS
from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.store.database import DatabaseClosedError

from .fakes import come_to_rest
from .recorder import rest

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import Event, HomeAssistant, State

    from simulator import Simulator

RECIPIENT = "+33612345678"
SENDER = "+33698765432"


@dataclass
class Heard:
    """The bus events that were fired since."""

    received_events: list[Event]
    status_events: list[Event]

    @property
    def received(self) -> list[dict[str, Any]]:
        """List what came in."""
        return [dict(event.data) for event in self.received_events]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        """List how messages moved."""
        return [dict(event.data) for event in self.status_events]

    @property
    def texts(self) -> list[str]:
        """List the texts that came in."""
        return [event.data["text"] for event in self.received_events]

    def course(self, message_id: str) -> list[str]:
        """List the statuses of a message."""
        return [
            each["status"] for each in self.statuses if each["message_id"] == message_id
        ]


def listen(hass: HomeAssistant) -> Heard:
    """Hear the bus events from now on."""
    return Heard(
        async_capture_events(hass, "virtual_sms_received"),
        async_capture_events(hass, "virtual_sms_status"),
    )


async def send(hass: HomeAssistant, entry: ConfigEntry, **data: Any) -> list[Any]:
    """Call our action and return what it answers."""
    defaults = {"to": RECIPIENT, "message": "Hello"}
    response = await hass.services.async_call(
        DOMAIN,
        "send_message",
        {"config_entry_id": entry.entry_id} | defaults | data,
        blocking=True,
        return_response=True,
    )
    assert set(response) == {"messages"}
    messages: list[Any] = response["messages"]
    return messages


def revoke(sim: Simulator) -> None:
    """Make the credentials invalid that the home has."""
    sim.twilio.auth_token = "f" * 32
    sim.ovh.auth.expire(sim.ovh.consumer_key)


async def settle(hass: HomeAssistant, sim: Simulator) -> None:
    """Let all that is under way come to its end, on both sides."""
    await _rest(hass)
    is_conclusive = False
    while not is_conclusive:
        await sim.settled()
        await _rest(hass)
        is_conclusive = not sim._tasks


async def refresh(hass: HomeAssistant, sim: Simulator, entry: ConfigEntry) -> None:
    """Poll now."""
    await entry.runtime_data.coordinator.async_refresh()
    await settle(hass, sim)


async def _rest(hass: HomeAssistant) -> None:
    """Wait for the home, and until everything has been told."""
    await hass.async_block_till_done(wait_background_tasks=True)
    for gateway in [
        gateway
        for account in hass.data.get(ACCOUNTS, {}).values()
        for gateway in account.gateways
    ]:
        # A home that stops has closed its stores before.
        with suppress(DatabaseClosedError):
            await come_to_rest(gateway.store, gateway._publisher)
    await hass.async_block_till_done(wait_background_tasks=True)


def entity_id(hass: HomeAssistant, entry: ConfigEntry, key: str) -> str:
    """Return the id of an entity by its key."""
    platform = "event" if key in {"call", "delivery", "message"} else "sensor"
    found = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"{entry.entry_id}_{key}"
    )
    assert found is not None
    return found


def state(hass: HomeAssistant, entry: ConfigEntry, key: str) -> State:
    """Return the state of an entity by its key."""
    found = hass.states.get(entity_id(hass, entry, key))
    assert found is not None
    return found


def picture(hass: HomeAssistant, entry: ConfigEntry, platform: str) -> dict[str, Any]:
    """Describe the entities of a platform as every release of Home Assistant would."""
    registry = er.async_get(hass)
    return {
        each.unique_id.removeprefix(f"{entry.entry_id}_"): {
            "entity_id": each.entity_id,
            "category": each.entity_category and each.entity_category.value,
            "translation_key": each.translation_key,
            "state": _read(hass, each.entity_id),
        }
        for each in er.async_entries_for_config_entry(registry, entry.entry_id)
        if each.domain == platform
    }


async def logbook_rows(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return the rows of Activity, as Home Assistant makes them of what it recorded."""
    described: dict[str, Any] = {}

    def describe(domain: str, event_type: str, call: logbook.Describe) -> None:
        described[event_type] = domain, call

    # The whole of its logbook would bring its frontend along.
    logbook.async_describe_events(hass, describe)
    hass.data["logbook"] = LogbookConfig(described, None, None)
    await rest(hass)
    processor = EventProcessor(hass, async_determine_event_types(hass, None, None))
    now = dt_util.utcnow()
    start, end = now - timedelta(days=1), now + timedelta(days=1)
    return await get_instance(hass).async_add_executor_job(
        processor.get_events, start, end
    )


def _read(hass: HomeAssistant, entity_id: str) -> dict[str, Any] | None:
    found = hass.states.get(entity_id)
    if found is None:
        return None
    shown = json_loads_object(found.as_dict_json)
    return {"state": shown["state"], "attributes": shown["attributes"]}
