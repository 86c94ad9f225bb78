"""What a dashboard reads of a number's conversations, and who may."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
import sqlite3
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.setup import async_setup_component
import pytest

from custom_components.virtual_sms.bus import Unquoted
from custom_components.virtual_sms.const import (
    OPTION_KEEP_CONVERSATIONS,
    OPTION_PRIVACY,
    OPTION_SIMPLIFY,
)
from custom_components.virtual_sms.conversations import describe_message
from custom_components.virtual_sms.core.privacy import Privacy
from custom_components.virtual_sms.store.conversations import (
    MOST_CONVERSATIONS,
    Conversations,
)
from custom_components.virtual_sms.websocket import _READ, _moment

from .contacts import add_contact
from .home import RECIPIENT, SENDER, entity_id, send, settle
from .store.test_conversations import fill

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.common import MockUser
    from pytest_homeassistant_custom_component.typing import WebSocketGenerator

    from simulator import Simulator

type Ask = Callable[..., Coroutine[Any, Any, Any]]

COMMANDS = {
    "line": {},
    "conversations": {},
    "conversation": {"correspondent": SENDER},
    "mark_read": {"correspondent": SENDER},
    "subscribe": {},
}


@pytest.fixture(autouse=True)
async def dashboards(hass: HomeAssistant) -> None:
    """Have dashboards, before the home opens its door."""
    assert await async_setup_component(hass, "websocket_api", {})


@pytest.fixture
async def client(
    hass: HomeAssistant, entry: ConfigEntry, hass_ws_client: WebSocketGenerator
) -> Any:
    """Open a dashboard."""
    return await hass_ws_client(hass)


@pytest.fixture
def ask(client: Any, entry: ConfigEntry) -> Ask:
    """Ask something of the number."""
    return partial(answer, client, entry.entry_id)


async def reply(client: Any, entry_id: str, command: str, **data: Any) -> Any:
    """Give a command and return the whole of what it says."""
    await client.send_json_auto_id(
        {"type": f"virtual_sms/{command}", "entry_id": entry_id, **data}
    )
    return await client.receive_json()


async def answer(client: Any, entry_id: str, command: str, **data: Any) -> Any:
    """Give a command and return its result."""
    said = await reply(client, entry_id, command, **data)
    assert said["success"], said
    return said["result"]


async def write(simulator: Simulator, hass: HomeAssistant, provider: str) -> None:
    """Have someone write to the number."""
    simulator.providers[provider].receive(SENDER, "<b>Hello</b>")
    await settle(hass, simulator)


async def test_conversations_are_listed(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    ask: Ask,
) -> None:
    """One for each correspondent, newest first, with what is unread."""
    await write(simulator, hass, provider)
    await send(hass, entry, message="Good bye")
    await settle(hass, simulator)
    newest, other = sorted(
        await ask("conversations"), key=lambda each: each["correspondent"]
    )
    assert newest.pop("last_at") >= "2026"
    assert newest == {
        "correspondent": RECIPIENT,
        "contact": None,
        "contact_id": None,
        "last_text": "Good bye",
        "unread": 0,
    }
    assert other["correspondent"] == SENDER
    assert other["last_text"] == "<b>Hello</b>"
    assert other["unread"] == 1


async def test_a_conversation_is_read(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    ask: Ask,
) -> None:
    """Both directions, with all that the card shows, in pages."""
    await write(simulator, hass, provider)
    [sent] = await send(hass, entry, to=SENDER, message="And to you €")
    await settle(hass, simulator)
    page = await ask("conversation", correspondent=SENDER)
    assert not page["more"]
    by_direction = {each.pop("direction"): each for each in page["messages"]}
    ours, theirs = by_direction["outbound"], by_direction["inbound"]
    assert ours.pop("at") >= "2026"
    assert ours == {
        "message_id": sent["message_id"],
        "text": "And to you €",
        "status": "delivered",
        "reason": None,
        "segments": 1,
        "media": [],
    }
    assert (theirs["text"], theirs["status"]) == ("<b>Hello</b>", None)
    assert theirs["trust"] == "unknown"

    first = await ask("conversation", correspondent=SENDER, limit=1)
    [newest] = first["messages"]
    assert first["more"]
    rest = await ask(
        "conversation", correspondent=SENDER, limit=1, before=newest["message_id"]
    )
    assert [each["message_id"] for each in rest["messages"]] != [newest["message_id"]]
    assert not rest["more"]
    past = await ask(
        "conversation", correspondent=SENDER, before="2020-01-01T00:00:00+00:00"
    )
    assert past == {"messages": [], "more": False}


async def test_trust_is_shown_as_it_was_judged(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Whom the home believed then is kept with the message, whatever changes later."""
    bob = await add_contact(hass, twilio_entry, numbers=SENDER)
    await write(simulator, hass, "twilio")
    data = {**bob.data, "may_command": True}
    hass.config_entries.async_update_subentry(twilio_entry, bob, data=data)
    await write(simulator, hass, "twilio")
    store = twilio_entry.runtime_data.gateway.store
    page = await store.conversations.read(SENDER, None, 10)
    shown = [
        describe_message(each, twilio_entry.entry_id, {})["trust"]
        for each in page.messages
    ]
    assert sorted(shown) == ["known", "trusted"]


async def test_who_subscribes_sees_whom_the_home_believes(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    client: Any,
) -> None:
    """An event of a message that came in carries its trust; one of ours has none."""
    await answer(client, entry.entry_id, "subscribe")
    await write(simulator, hass, provider)
    event = (await client.receive_json())["event"]
    assert (event["kind"], event["trust"]) == ("message", "unknown")
    await send(hass, entry)
    event = (await client.receive_json())["event"]
    assert (event["kind"], "trust" in event) == ("message", False)


@pytest.mark.parametrize("simplify", [None, True, False])
async def test_a_dashboard_knows_whether_texts_are_simplified(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
    *,
    simplify: bool | None,
) -> None:
    """It counts what is really sent: with the number's option, which is on at first."""
    options = {} if simplify is None else {OPTION_SIMPLIFY: simplify}
    hass.config_entries.async_update_entry(twilio_entry, options=options)
    await settle(hass, simulator)
    client = await hass_ws_client(hass)
    line = await answer(client, twilio_entry.entry_id, "line")
    assert line == {"simplify": simplify is not False}


async def test_a_large_inbox_holds_up_nobody(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """50,000 messages of as many people open in 200 ms of the loop's time, in pages."""
    client = await hass_ws_client(hass)
    store = twilio_entry.runtime_data.gateway.store
    await fill(store, 50_000, 50_000)
    began = time.thread_time()
    threads = await answer(client, twilio_entry.entry_id, "conversations")
    newest = threads[0]["correspondent"]
    page = await answer(
        client, twilio_entry.entry_id, "conversation", correspondent=newest, limit=100
    )
    assert time.thread_time() - began < 0.2
    assert len(threads) == MOST_CONVERSATIONS
    assert len(page["messages"]) == 1
    assert not page["more"]


async def test_a_long_conversation_is_read_in_few_rows(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Of 50,000 messages with one person, a page is read: one query, a row more."""
    client = await hass_ws_client(hass)
    store = twilio_entry.runtime_data.gateway.store
    await fill(store, 50_000, 1)
    seen: list[str] = []
    await store.conversations._run(
        lambda connection: connection.set_trace_callback(seen.append)
    )
    began = time.thread_time()
    page = await answer(
        client,
        twilio_entry.entry_id,
        "conversation",
        correspondent="+33600000000",
        limit=50,
    )
    assert time.thread_time() - began < 0.2
    await store.conversations._run(
        lambda connection: connection.set_trace_callback(None)
    )
    pages = [each for each in seen if "INDEXED BY message_correspondent" in each]
    assert len(pages) == 1
    assert pages[0].endswith("LIMIT 51\n")
    assert len(page["messages"]) == 50
    assert page["more"]


def test_an_id_is_not_taken_for_a_time() -> None:
    """Neither a number that might be a date, nor what looks like a time and is none."""
    for each in ("20261127", "202611", "SM20261127", "12:99"):
        assert _moment(each) == each
    assert _moment("2026-11-27T10:00:00+01:00") == datetime(2026, 11, 27, 9, tzinfo=UTC)


async def test_a_time_that_no_calendar_has_is_refused(client: Any) -> None:
    """By the check of the command, and not as trouble of ours."""
    ends = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"
    for each in ends:
        said = await reply(
            client, "any", "conversation", correspondent=SENDER, before=each
        )
        assert said["error"]["code"] == "invalid_format"


async def test_pictures_are_named(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """With their kind, where it is known."""
    await send(hass, twilio_entry, media=["https://example.org/a.jpg"])
    await settle(hass, simulator)
    client = await hass_ws_client(hass)
    page = await answer(
        client, twilio_entry.entry_id, "conversation", correspondent=RECIPIENT
    )
    [message] = page["messages"]
    assert message["media"] == [
        {
            "content_type": None,
            "url": "https://example.org/a.jpg",
            "media_content_id": None,
        }
    ]


async def test_a_page_has_a_limit(client: Any, entry: ConfigEntry) -> None:
    """More than 100 messages at once are not asked for."""
    for limit in (0, 101, "x"):
        said = await reply(
            client, entry.entry_id, "conversation", correspondent=SENDER, limit=limit
        )
        assert said["error"]["code"] == "invalid_format"


async def test_who_subscribes_follows_all_that_happens(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    client: Any,
    ask: Ask,
) -> None:
    """What is written in either direction, its course, and what was read; until the end."""
    assert await ask("subscribe") is None
    await write(simulator, hass, provider)
    event = (await client.receive_json())["event"]
    assert (event["kind"], event["direction"]) == ("message", "inbound")
    assert (event["correspondent"], event["text"]) == (SENDER, "<b>Hello</b>")
    assert event["contact"] is None

    [sent] = await send(hass, entry, to=SENDER)
    await settle(hass, simulator)
    events = [(await client.receive_json())["event"]]
    # The message itself may be read when it has arrived already.
    while (events[-1]["kind"], events[-1].get("status")) != ("status", "delivered"):
        events.append((await client.receive_json())["event"])
    assert {each["message_id"] for each in events} == {sent["message_id"]}
    assert [each["kind"] for each in events] == ["message"] + ["status"] * (
        len(events) - 1
    )
    assert events[-1] == {
        "kind": "status",
        "correspondent": SENDER,
        "message_id": sent["message_id"],
        "status": "delivered",
        "reason": None,
    }


async def test_a_read_mark_reaches_all_dashboards(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    client: Any,
    ask: Ask,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """It is said once, and what is read stays so."""
    await write(simulator, hass, provider)
    other = await hass_ws_client(hass)
    await answer(other, entry.entry_id, "subscribe")
    for _ in range(2):
        assert await ask("mark_read", correspondent=SENDER) is None
    [conversation] = await ask("conversations")
    assert conversation["unread"] == 0
    event = (await other.receive_json())["event"]
    assert event == {"kind": "read", "correspondent": SENDER}
    await other.send_json_auto_id({"type": "ping"})
    assert (await other.receive_json())["type"] == "pong"


async def test_a_subscription_outlives_a_reload_and_ends_when_it_is_ended(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    client: Any,
    ask: Ask,
) -> None:
    """A change of an option does not leave a dashboard behind."""
    await ask("subscribe")
    await hass.config_entries.async_reload(entry.entry_id)
    await write(simulator, hass, provider)
    said = await client.receive_json()
    assert said["event"]["kind"] == "message"
    await client.send_json_auto_id(
        {"type": "unsubscribe_events", "subscription": said["id"]}
    )
    assert (await client.receive_json())["success"]
    await write(simulator, hass, provider)
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"


@pytest.mark.parametrize(
    "options",
    [
        {OPTION_PRIVACY: Privacy.MASKED},
        {OPTION_PRIVACY: Privacy.METADATA},
        {OPTION_KEEP_CONVERSATIONS: 0},
    ],
)
async def test_what_is_not_kept_is_not_shown(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
    options: dict[str, Any],
) -> None:
    """Neither listed nor passed on, nor what was kept before."""
    await write(simulator, hass, "twilio")
    hass.config_entries.async_update_entry(twilio_entry, options=options)
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    client = await hass_ws_client(hass)
    ask = partial(answer, client, twilio_entry.entry_id)
    await ask("subscribe")
    await write(simulator, hass, "twilio")
    await send(hass, twilio_entry)
    await settle(hass, simulator)
    assert await ask("conversations") == []
    page = await ask("conversation", correspondent=SENDER)
    assert page == {"messages": [], "more": False}


@pytest.mark.parametrize(("command", "data"), COMMANDS.items())
async def test_only_who_may_read_the_event_entity_may_read(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
    command: str,
    data: dict[str, Any],
) -> None:
    """Whatever else a user may do; nor do they learn which numbers there are."""
    client = await hass_ws_client(hass)
    hass_admin_user.groups = []
    hass_admin_user.mock_policy({"entities": {"domains": {"light": True}}})
    said = await reply(client, twilio_entry.entry_id, command, **data)
    assert said["error"]["code"] == "unauthorized"
    said = await reply(client, "unknown", command, **data)
    assert said["error"]["code"] == "unauthorized"

    message = entity_id(hass, twilio_entry, "message")
    hass_admin_user.mock_policy({"entities": {"entity_ids": {message: True}}})
    assert (await reply(client, twilio_entry.entry_id, command, **data))["success"]

    er.async_get(hass).async_remove(message)
    said = await reply(client, twilio_entry.entry_id, command, **data)
    assert said["error"]["code"] == "unauthorized"


@pytest.mark.parametrize("how", ["policy", "inactive", "removed"])
async def test_who_may_not_read_any_more_follows_no_more(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
    how: str,
) -> None:
    """A dashboard that is open meanwhile is sent neither messages nor read marks."""
    client = await hass_ws_client(hass)
    await answer(client, twilio_entry.entry_id, "subscribe")
    if how == "policy":
        hass_admin_user.groups = []
        hass_admin_user.mock_policy({"entities": {"domains": {"light": True}}})
    elif how == "inactive":
        hass_admin_user.is_active = False
    else:
        # As the oldest supported release does, which leaves connections open.
        await hass.auth._store.async_remove_user(hass_admin_user)
    await write(simulator, hass, "twilio")
    async_dispatcher_send(hass, _READ.format(twilio_entry.entry_id), Unquoted(SENDER))
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"


@pytest.mark.parametrize(("command", "data"), COMMANDS.items())
async def test_a_number_that_is_not_there_is_said_so(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
    command: str,
    data: dict[str, Any],
) -> None:
    """In a sentence: unknown, or not loaded."""
    client = await hass_ws_client(hass)
    said = await reply(client, "unknown", command, **data)
    assert said["error"]["code"] == "not_found"
    await hass.config_entries.async_set_disabled_by(
        twilio_entry.entry_id, ConfigEntryDisabler.USER
    )
    said = await reply(client, twilio_entry.entry_id, command, **data)
    assert said["error"]["code"] == "not_found"


async def test_a_disk_that_fails_is_said_so(client: Any, entry: ConfigEntry) -> None:
    """By the sentence that sending uses too."""
    with patch.object(Conversations, "list_newest", side_effect=sqlite3.Error):
        said = await reply(client, entry.entry_id, "conversations")
    assert said["error"]["translation_key"] == "disk_failed"
    await entry.runtime_data.gateway.close()
    said = await reply(client, entry.entry_id, "conversations")
    assert said["error"]["translation_key"] == "entry_not_loaded"
