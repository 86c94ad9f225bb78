"""Conversations are with people by name, and go with them."""

from functools import partial
import logging
import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.setup import async_setup_component
import pytest

from custom_components.virtual_sms.store.conversations import Conversations
from tests.flows.test_contact_code import shown_code

from .contacts import BOB, OTHER_NUMBER, add_contact, remove
from .home import RECIPIENT, SENDER, send, settle
from .people.test_trust import add_bob
from .test_websocket import answer

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import WebSocketGenerator

    from simulator import Simulator


@pytest.fixture(autouse=True)
async def dashboards(hass: HomeAssistant) -> None:
    """Have dashboards, before the home opens its door."""
    assert await async_setup_component(hass, "websocket_api", {})


@pytest.fixture
async def client(
    hass: HomeAssistant, twilio_entry: ConfigEntry, hass_ws_client: WebSocketGenerator
) -> Any:
    """Open a dashboard."""
    return await hass_ws_client(hass)


async def test_who_is_a_contact_is_named(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, client: Any
) -> None:
    """In the list and in events, also for what was written before they were one."""
    ask = partial(answer, client, twilio_entry.entry_id)
    await send(hass, twilio_entry)
    await settle(hass, simulator)
    bob = await add_contact(hass, twilio_entry, numbers=[RECIPIENT, OTHER_NUMBER])
    [conversation] = await ask("conversations")
    assert conversation["contact"] == BOB
    assert conversation["contact_id"] == bob.subentry_id
    await ask("subscribe")
    simulator.twilio.receive(OTHER_NUMBER, "Hello")
    await settle(hass, simulator)
    event = (await client.receive_json())["event"]
    assert (event["contact"], event["contact_id"]) == (BOB, bob.subentry_id)


async def test_conversations_go_with_their_contact(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
    client: Any,
) -> None:
    """On every number, and with nobody else's; a number somebody has still stays."""
    bob = await add_contact(hass, twilio_entry, numbers=[RECIPIENT, OTHER_NUMBER])
    for entry in (twilio_entry, ovh_entry):
        for to in (RECIPIENT, SENDER):
            await send(hass, entry, to=to)
    await settle(hass, simulator)
    await remove(hass, twilio_entry, bob)
    await settle(hass, simulator)
    for entry in (twilio_entry, ovh_entry):
        [left] = await answer(client, entry.entry_id, "conversations")
        assert left["correspondent"] == SENDER


async def test_a_renamed_contact_keeps_what_was_written(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, client: Any
) -> None:
    """Only a removal deletes."""
    bob = await add_contact(hass, twilio_entry)
    await send(hass, twilio_entry)
    await settle(hass, simulator)
    hass.config_entries.async_update_subentry(twilio_entry, bob, title="Robert")
    await settle(hass, simulator)
    assert len(await answer(client, twilio_entry.entry_id, "conversations")) == 1


async def test_a_disk_that_fails_keeps_nobody_from_being_removed(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, without the number."""
    bob = await add_contact(hass, twilio_entry)
    with patch.object(Conversations, "forget", side_effect=sqlite3.Error):
        await remove(hass, twilio_entry, bob)
        await settle(hass, simulator)
    [warning] = [
        each.getMessage()
        for each in caplog.records
        if each.levelno == logging.WARNING and "conversation" in each.getMessage()
    ]
    assert RECIPIENT not in warning


@pytest.mark.parametrize("code", ["pin", "totp"])
async def test_a_code_is_in_no_conversation(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: Any,
    code: str,
) -> None:
    """What is kept to be read is what was left of a command, new or used."""
    bob, secret = await add_bob(hass, twilio_entry, code)
    typed = secret if code == "pin" else shown_code(secret)
    ask = partial(answer, client, twilio_entry.entry_id)
    await ask("subscribe")
    for text in (f"{typed} open", f"close {typed}", typed):
        simulator.twilio.receive(RECIPIENT, text)
        await settle(hass, simulator)
    for text in ("open", "close", ""):
        assert (await client.receive_json())["event"]["text"] == text
    page = await ask("conversation", correspondent=RECIPIENT)
    assert sorted(each["text"] for each in page["messages"]) == ["", "close", "open"]
    contents = await twilio_entry.runtime_data.gateway.store.conversations._run(
        lambda connection: connection.execute("SELECT content FROM message").fetchall()
    )
    for (content,) in contents:
        assert typed not in content.replace(bob.subentry_id, "")
