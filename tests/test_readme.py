"""README and docs are true: their tables, their pictures, and each of their examples."""

import asyncio
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
import json
from pathlib import Path
import re
from typing import TYPE_CHECKING, Any

from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.components.recorder import CONFIG_SCHEMA as RECORDER_SCHEMA
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.entityfilter import convert_include_exclude_filter
from homeassistant.helpers.script import Script
from homeassistant.helpers.service import async_call_from_config
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service
import yaml

from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.adapters.call_models import CallState, Direction
from custom_components.virtual_sms.adapters.models import (
    Capability,
    DeliveryStatus,
    InboundMessage,
    RejectReason,
)
from custom_components.virtual_sms.bus import (
    EVENT_CALL,
    EVENT_RECEIVED,
    EVENT_STATUS,
    describe,
)
from custom_components.virtual_sms.const import DEFAULT_RETRY_FOR
from custom_components.virtual_sms.coordinator import _BALANCE_INTERVAL, _NET_INTERVAL
from custom_components.virtual_sms.core.privacy import Privacy
from custom_components.virtual_sms.monitoring.monitor import INSPECTION_INTERVAL
from custom_components.virtual_sms.replies.alert_action import ALERT_SCHEMA
from custom_components.virtual_sms.replies.alerts import EVENT_ALERT
from custom_components.virtual_sms.replies.ask_action import ASK_SCHEMA
from custom_components.virtual_sms.replies.questions import EVENT_ANSWERED
from custom_components.virtual_sms.services import CALL_SCHEMA, SEND_MESSAGE_SCHEMA
from custom_components.virtual_sms.store.call_rows import CHECK
from custom_components.virtual_sms.store.changes import (
    CallChanged,
    Received,
    StatusChanged,
)
from custom_components.virtual_sms.store.store import _KEEP_CLOSED, RETENTION

from .browser.pictures import RECORD, SHOWN, fingerprints
from .contacts import add_contact
from .home import entity_id, refresh, settle
from .people.test_trust import add_bob
from .set_up import set_up

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant, ServiceCall

    from simulator import Simulator

PROJECT = Path(__file__).parent.parent
INTEGRATION = PROJECT / "custom_components/virtual_sms"
PAGES = {
    name: (PROJECT / name).read_text(encoding="utf-8")
    for name in (
        "README.md",
        "docs/reference.md",
        "docs/troubleshooting.md",
        "docs/privacy.md",
        "docs/performance.md",
    )
}
README = PAGES["README.md"]
ALL = "\n".join(PAGES.values())
LENGTH_OF_README = 1200
LONG = 9
"""Words in a row that no two pages share: what is told twice ages twice."""
TEXTS = json.loads(
    (PROJECT / "custom_components/virtual_sms/translations/en.json").read_text(
        encoding="utf-8"
    )
)
ME, PARTNER, STRANGER = "+33612345678", "+33698765432", "+33687654321"
PIN = "4711"
AT = datetime(2026, 11, 21, 18, 4, 5, tzinfo=UTC)
ROWS = {
    "Delivery status of each message": Capability.RECEIPTS,
    "Picture messages (MMS)": Capability.MEDIA,
    "Calls, out and in": Capability.CALLS,
    "Messages missed while Home Assistant was off": Capability.HISTORY,
    "A send without an answer is looked up before it is repeated": Capability.LOOKUP,
    "Balance": Capability.BALANCE,
    "Counted in credits instead of money": Capability.CREDITS,
    "Callback address set for you": Capability.CALLBACK_URLS,
    "One callback address for the whole account": Capability.SHARED_CALLBACK_URLS,
    "Callbacks are signed": Capability.SIGNED_CALLBACKS,
    "Callbacks that failed are on record": Capability.CALLBACK_FAILURES,
    "Its own list of who texted STOP is heeded": Capability.OPT_OUTS,
    "Access granted by a click": Capability.AUTHORIZATION,
}

SECTIONS = {
    "docs-actions": "Send",
    "docs-conditions": "Conditions",
    "docs-configuration-parameters": "Options",
    "docs-data-update": "How data is updated",
    "docs-examples": "Examples",
    "docs-high-level-description": "Virtual SMS for Home Assistant",
    "docs-installation-instructions": "Install",
    "docs-installation-parameters": "The set-up, field by field",
    "docs-known-limitations": "Known limitations",
    "docs-removal-instructions": "Remove",
    "docs-supported-functions": "Entities",
    "docs-triggers": "Triggers",
    "docs-troubleshooting": "Troubleshooting",
    "docs-use-cases": "Examples",
}


def blocks() -> list[dict[str, Any]]:
    """Read every YAML block."""
    found = re.findall(r"^```yaml\n(.*?)^```", ALL, re.MULTILINE | re.DOTALL)
    return [yaml.safe_load(each) for each in found]


AUTOMATIONS = {
    each["alias"]: {"id": str(index), **each}
    for index, each in enumerate(blocks())
    if "triggers" in each
}
[PICTURE, ACTION, CALL] = [each for each in blocks() if "action" in each]
[RECORDER] = [each for each in blocks() if "recorder" in each]
[CARD, INBOX] = [each for each in blocks() if "type" in each]
EXCLUDED = {"last_message", "last_sender"}


def section(title: str) -> str:
    """Return what stands below a heading, down to the next of its rank."""
    match = re.search(rf"^(#+) {re.escape(title)}$", ALL, re.MULTILINE)
    assert match, title
    end = re.compile(rf"^#{{1,{len(match[1])}}} ", re.MULTILINE)
    found = end.search(ALL, match.end())
    return ALL[match.end() : found.start() if found else len(ALL)]


def tables(text: str) -> list[list[list[str]]]:
    """Read the tables of a text: rows of cells, with the heading first."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|")
        else []
        for line in text.splitlines()
    ]
    found: list[list[list[str]]] = [[]]
    for row in rows:
        if not row:
            found.append([])
        elif set("".join(row)) != {"-"}:
            found[-1].append(row)
    return [table for table in found if table]


def names(table: list[list[str]], column: int = 0) -> set[str]:
    """Return the code words of a column."""
    return {word for row in table[1:] for word in re.findall(r"`([^`]+)`", row[column])}


# --- tables -------------------------------------------------------------------


def test_providers_can_what_the_table_says() -> None:
    """The table of providers and the adapters' capabilities agree."""
    heading, *rows = tables(section("Which provider"))[0]
    adapters = list(ADAPTERS.values())
    assert heading[1:] == [adapter.name for adapter in adapters]
    assert set(ROWS.values()) == set(Capability)

    told = {row[0]: row[1:] for row in rows}
    for words, capability in ROWS.items():
        can = ["yes" if capability in each.capabilities else "no" for each in adapters]
        assert told[words] == can, words


def test_every_credential_is_explained() -> None:
    """The forms' fields are in the tables of their providers."""
    steps = TEXTS["config"]["step"]
    for provider, title in (
        ("twilio", "Twilio's fields"),
        ("ovh", "OVHcloud's fields"),
    ):
        step = steps[provider]
        labels = [*step["data"].values()]
        labels += step["sections"]["advanced"]["data"].values()
        explained = ", ".join(row[0] for row in tables(section(title))[-1])
        assert not [each for each in labels if each not in explained]
    _, *rows = tables(section("The number's fields"))[0]
    labels = [*steps["number"]["data"].values(), *steps["callbacks"]["data"].values()]
    assert [row[0] for row in rows] == labels


def test_every_option_is_explained() -> None:
    """The options and their defaults are in their table."""
    _, *rows = tables(section("Options"))[0]
    explained = {row[0]: row[1] for row in rows}
    labels = TEXTS["options"]["step"]["init"]["data"]
    assert list(explained) == list(labels.values())
    intervals = [f"{each.poll_interval} s at {each.name}" for each in ADAPTERS.values()]
    assert explained[labels["poll_interval"]] == ", ".join(intervals)
    assert explained[labels["retry_for"]] == f"{DEFAULT_RETRY_FOR} minutes"


def test_what_privacy_leaves() -> None:
    """The examples of the table are what each choice makes of a message."""
    _, *rows = tables(section("Show less"))[0]
    _, text, number = (cell.strip("`") for cell in rows[0])
    choices = TEXTS["selector"]["privacy"]["options"]
    for privacy, row in zip(Privacy, rows, strict=True):
        shown = privacy.redact({"text": text, "sender": number})
        told = [cell.strip("`") for cell in row[1:]]
        assert told == [shown["text"] or "nothing", shown["sender"] or "nothing"]
        assert choices[privacy].startswith(row[0])


def test_what_polling_costs() -> None:
    """The figures follow from the intervals."""
    text = " ".join(section("How messages arrive").split())
    for adapter in ADAPTERS.values():
        a_day = 24 * 60 * 60 // adapter.poll_interval
        assert f"{a_day:,} a day at {adapter.name}" in text


def test_figures_are_those_of_the_code() -> None:
    """How often and how long stands in one place of the code."""
    _, pushed, net, calls, balance, look = tables(section("How data is updated"))[0]
    assert "callback" in pushed[1]
    assert net[1].startswith(f"Every {_NET_INTERVAL.seconds // 60} minutes")
    assert f"every {CHECK.seconds} seconds" in calls[1]
    assert balance[1] == f"Every {int(_BALANCE_INTERVAL) // 60} minutes"
    assert look[1] == f"Every {INSPECTION_INTERVAL.seconds // 3600} hours"
    kept = (
        f"At most {RETENTION.days} days for incoming, "
        f"{_KEEP_CLOSED.days} days for finished outgoing messages"
    )
    assert kept in section("Privacy")
    assert f"for {DEFAULT_RETRY_FOR} minutes by default" in section("Promises in full")


def test_every_field_of_the_action_is_explained() -> None:
    """The table of the action names each field, and those that must be given."""
    table = tables(section("Send"))[0]
    fields_ = {str(key): key for key in SEND_MESSAGE_SCHEMA.schema}
    assert names(table) == set(fields_)
    told = {row[0].strip("`"): row[1] for row in table[1:]}
    for name, key in fields_.items():
        required = type(key).__name__ == "Required"
        assert told[name] == ("yes" if required else "no"), name


@pytest.mark.parametrize(
    ("title", "schema", "inside"),
    [
        ("Ask", ASK_SCHEMA, set[str]()),
        # They are told of in the row of the steps.
        ("Alarm", ALERT_SCHEMA, {"contacts", "to", "call"}),
    ],
)
def test_every_field_of_the_other_actions_is_explained(
    title: str, schema: Any, inside: set[str]
) -> None:
    """The tables of the actions that ask and alarm name each field."""
    told = {
        name for row in tables(section(title))[0][1:] for name in read_names(row[0])
    }
    assert told == {str(key) for key in schema.schema} - inside


def read_names(cell: str) -> set[str]:
    """Return the names in a cell."""
    return set(re.findall(r"`(\w+)`", cell))


def test_every_entity_is_explained() -> None:
    """The table names each entity by its key, as it is called."""
    told = {row[1].strip("`"): row[0] for row in tables(section("Entities"))[0][1:]}
    entities = [each for texts in TEXTS["entity"].values() for each in texts.items()]
    # Money and credits are two ways to show one sensor.
    twice = {"credits", "cost_credits"}
    called = {key: text["name"] for key, text in entities if key not in twice}
    assert told == called


def read_yaml(name: str) -> dict[str, Any]:
    """Read one of the files that say what the editor of automations offers."""
    path = PROJECT / "custom_components/virtual_sms" / name
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_every_trigger_is_explained() -> None:
    """The tables name each trigger as the editor calls it, and each of its options."""
    triggers = read_yaml("triggers.yaml")
    named, options = tables(section("Triggers"))
    assert {row[1].strip("`"): row[0] for row in named[1:]} == {
        key: TEXTS["triggers"][key]["name"] for key in triggers
    }
    told = {
        (names([[], row]).pop(), each)
        for row in options[1:]
        for each in read_names(row[1])
    }
    assert told == {
        (key, field) for key, each in triggers.items() for field in each["fields"]
    }


def test_defaults_of_the_triggers_are_those_of_the_editor() -> None:
    """What a trigger does without its options can be read."""
    triggers = read_yaml("triggers.yaml")
    for row in tables(section("Triggers"))[1][1:]:
        field = triggers[row[0].strip("`")]["fields"][row[1].split("`")[1]]
        default = field.get("default")
        if "All" not in row[2]:
            told = re.findall(r"`(\w+)`", row[2])
            assert told == [
                str(each).lower()
                for each in (default if isinstance(default, list) else [default])
            ]
        elif default:
            every = set(field["selector"]["select"]["options"])
            assert every - set(default) == read_names(row[2])


def test_every_condition_is_explained() -> None:
    """The table names each condition as the editor calls it."""
    [named] = tables(section("Conditions"))
    assert {row[1].strip("`"): row[0] for row in named[1:]} == {
        key: TEXTS["conditions"][key]["name"] for key in read_yaml("conditions.yaml")
    }


def test_every_field_of_the_events_is_explained() -> None:
    """The tables of the events name each field."""
    common, received, status, calls = tables(section("Events"))
    message = InboundMessage(
        message_id="SM1", number=None, sender=ME, text="Hello", received_at=AT
    )
    change = StatusChanged(
        message_id="one",
        provider_id="SM1",
        recipient=ME,
        status=DeliveryStatus.SENT,
        previous=None,
        at=AT,
    )
    ids = {"message_id", "provider_id"}
    first = {row[0].strip("`") for row in common[1:]}
    assert first == ids | {"entry_id", "device_id", "provider", "number"}
    who = {"contact", "contact_id", "person"}
    _, data = describe(Received(message=message, late=False))
    told = {row[0].strip("`") for row in received[1:]}
    assert told | ids == {*data, *who, "answer_to", "trust"}
    _, data = describe(change)
    assert {row[0].strip("`") for row in status[1:]} | ids == {*data, *who}
    call = CallChanged(
        call_id="one",
        provider_id="CA1",
        direction=Direction.OUTBOUND,
        correspondent=ME,
        state=CallState.QUEUED,
        previous=None,
        at=AT,
    )
    _, data = describe(call)
    told = {row[0].strip("`") for row in calls[1:]}
    assert told | ids == {*data, *who, "trust"}
    assert {each.value for each in CallState} <= names(calls, 1)


def test_every_field_of_a_call_is_explained() -> None:
    """The table of the action that calls names each field."""
    assert names(tables(section("Call"))[0]) == {str(key) for key in CALL_SCHEMA.schema}


@pytest.mark.parametrize("vocabulary", [DeliveryStatus, RejectReason])
def test_every_status_and_reason_is_named(
    vocabulary: type[DeliveryStatus | RejectReason],
) -> None:
    """Automations can be written without looking at the code."""
    assert {each.value for each in vocabulary} <= names(tables(section("Events"))[2], 1)


def test_every_repair_is_explained() -> None:
    """What Home Assistant tells by itself is in the table."""
    titles = [each["title"] for each in TEXTS["issues"].values()]
    told = {row[0] for row in tables(section("Repairs"))[0][1:]}
    assert told == {each.format(provider="Twilio", name="…") for each in titles}


def test_pictures_are_there() -> None:
    """What the browser takes is there and is shown, and nothing else."""
    shown = {
        f"docs/{name}" for name in re.findall(r"\]\((?:docs/)?(images/[^)]+)\)", ALL)
    }
    there = {f"docs/images/{each.name}" for each in (PROJECT / "docs/images").iterdir()}
    assert shown == there == {f"docs/images/{name}.png" for name in SHOWN}


def test_pictures_show_the_texts_of_today() -> None:
    """Who changes a text that can be read on a picture takes it anew."""
    taken = json.loads(RECORD.read_text(encoding="utf-8"))
    now = fingerprints(TEXTS)
    stale = {name for name in now | taken if now.get(name) != taken.get(name)}
    assert not stale, "take them anew: scripts/test --browser --pictures"


def test_another_text_makes_a_picture_stale() -> None:
    """The texts of one form are those of one picture."""
    texts = json.loads(json.dumps(TEXTS))
    texts["config"]["step"]["user"]["title"] = "Another title"
    changed = {
        name
        for name, mark in fingerprints(texts).items()
        if mark != fingerprints(TEXTS)[name]
    }
    assert changed == {"provider"}


def test_every_rule_about_documentation_has_its_section() -> None:
    """What the quality scale calls documented is a section with something in it."""
    path = PROJECT / "custom_components/virtual_sms/quality_scale.yaml"
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]
    documented = {
        rule for rule in rules if rule.startswith("docs-") and rules[rule] == "done"
    }
    assert documented == set(SECTIONS)
    assert all(section(title).strip() for title in SECTIONS.values())


def anchors(page: str) -> set[str]:
    """Return where links may lead within a page."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    return {
        re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-")
        for each in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def links(page: str) -> list[tuple[str, str]]:
    """Return a page's links into the project: the file, and the anchor in it."""
    found = [
        each.partition("#")
        for each in re.findall(r"\]\(([^)]+)\)", PAGES[page])
        if not each.startswith("https://")
    ]
    folder = PROJECT / Path(page).parent
    return [
        (
            str((folder / name).resolve().relative_to(PROJECT)) if name else page,
            anchor,
        )
        for name, _, anchor in found
    ]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Links within the pages, between them and to files of the project are right."""
    for target, anchor in links(page):
        assert (PROJECT / target).exists(), target
        assert not anchor or anchor in anchors(target), (target, anchor)


def test_readme_is_short_and_leads_to_every_page() -> None:
    """A newcomer reads it in a few minutes, and finds all the rest from it."""
    assert len(README.split()) <= LENGTH_OF_README
    assert set(PAGES) - {"README.md"} <= {target for target, _ in links("README.md")}


def sentences(page: str) -> set[tuple[str, ...]]:
    """Return every run of so many words of a page's prose."""
    prose = re.sub(
        r"^(```.*?^```|    .*?)$", "", PAGES[page], flags=re.MULTILINE | re.DOTALL
    )
    words = re.findall(r"[\w']+", re.sub(r"\]\([^)]*\)|`[^`]*`", "", prose.lower()))
    return {tuple(words[at : at + LONG]) for at in range(len(words) - LONG + 1)}


def test_pages_use_the_words_of_the_forms() -> None:
    """People read about callbacks and messages, not about news and ways back."""
    refused = r"way back|\b(announc|mend|told\b|news\b|glimpse|ledger)"
    for page in set(PAGES) - {"docs/performance.md"}:
        assert not re.search(refused, PAGES[page], re.IGNORECASE), page


def test_nothing_is_told_twice() -> None:
    """No two pages share a sentence."""
    pages = list(PAGES)
    shared = {
        " ".join(run)
        for index, page in enumerate(pages)
        for other in pages[index + 1 :]
        for run in sentences(page) & sentences(other)
    }
    assert not shared


# --- examples -----------------------------------------------------------------


@pytest.mark.parametrize("alias", AUTOMATIONS)
async def test_automation_is_valid(hass: HomeAssistant, alias: str) -> None:
    """Home Assistant accepts it."""
    config = await async_validate_config_item(hass, alias, AUTOMATIONS[alias])
    assert config is not None
    assert config.validation_error is None


async def test_other_examples_are_valid(hass: HomeAssistant) -> None:
    """An action and the recorder's settings are accepted as well."""
    assert cv.SCRIPT_SCHEMA([PICTURE, ACTION, CALL])
    assert RECORDER_SCHEMA(RECORDER)


def test_card_of_the_example_has_the_settings_of_its_form() -> None:
    """It is the card that comes with the integration, and there is nothing more to set."""
    assert INBOX["type"] == "custom:virtual-sms-card"
    form = (PROJECT / "frontend/src/config.ts").read_text(encoding="utf-8")
    assert set(re.findall(r'name: "(\w+)"', form)) == set(INBOX) - {"type"}


@pytest.fixture
async def home(hass: HomeAssistant, simulator: Simulator, home_url: str) -> ConfigEntry:
    """Make the home of the examples, where they all run at once."""
    entry = await set_up(hass, simulator, "twilio", name="Home")
    hass.states.async_set("binary_sensor.cellar_leak", "off")
    hass.states.async_set("binary_sensor.smoke", "off")
    hass.states.async_set("binary_sensor.front_door", "closed")
    hass.states.async_set(
        "sensor.living_room_temperature", "20.5", {"unit_of_measurement": "°C"}
    )
    await add_bob(hass, entry)
    await add_contact(hass, entry, "Ann", [PARTNER])
    config = {"automation": list(AUTOMATIONS.values())}
    assert await async_setup_component(hass, "automation", config)
    return entry


@pytest.fixture
def notices(hass: HomeAssistant, home: ConfigEntry) -> list[ServiceCall]:
    """Collect the notifications."""
    return async_mock_service(hass, "persistent_notification", "create")


@pytest.fixture
def openings(hass: HomeAssistant, home: ConfigEntry) -> list[ServiceCall]:
    """Collect what opens the garage."""
    return async_mock_service(hass, "cover", "open_cover")


async def receive(
    hass: HomeAssistant, simulator: Simulator, sender: str, text: str
) -> list[str]:
    """Text the home, and return what it texts back."""
    before = len(simulator.twilio.messages)
    simulator.twilio.receive(sender, text)
    await settle(hass, simulator)
    sent = simulator.twilio.messages[before:]
    return [each.text for each in sent if each.to == sender]


async def trip(hass: HomeAssistant, simulator: Simulator, sensor: str) -> None:
    """Let a binary sensor find what it is there for."""
    hass.states.async_set(f"binary_sensor.{sensor}", "on")
    await settle(hass, simulator)


def titled(notices: list[ServiceCall], title: str) -> list[str]:
    """Return the notifications with a title: several automations notify."""
    return [each.data["message"] for each in notices if each.data["title"] == title]


async def test_leak_reaches_everybody(
    hass: HomeAssistant,
    simulator: Simulator,
    notices: list[ServiceCall],
) -> None:
    """Both people are texted."""
    await trip(hass, simulator, "cellar_leak")
    assert {each.to for each in simulator.twilio.messages} == {ME, PARTNER}
    assert simulator.twilio.messages[0].text.startswith("Water in the cellar since")
    assert not notices


async def test_smoke_reaches_everybody(
    hass: HomeAssistant, simulator: Simulator, notices: list[ServiceCall]
) -> None:
    """Both people are texted, and there is nothing to notify of."""
    await trip(hass, simulator, "smoke")
    assert {each.to for each in simulator.twilio.messages} == {ME, PARTNER}
    assert simulator.twilio.messages[0].text.startswith("Smoke in the house since")
    assert not notices


async def test_smoke_does_not_reach_everybody(
    hass: HomeAssistant, simulator: Simulator, notices: list[ServiceCall]
) -> None:
    """Who could not be texted is named."""
    simulator.twilio.opted_out.add((simulator.twilio.NUMBER, ME))
    await trip(hass, simulator, "smoke")
    [message] = titled(notices, "The smoke alarm did not reach everybody")
    assert ME in message
    assert "STOP" in message
    assert PARTNER not in message


async def test_smoke_reaches_nobody(
    hass: HomeAssistant, simulator: Simulator, notices: list[ServiceCall]
) -> None:
    """That the action fails does not keep the notification back."""
    number = simulator.twilio.NUMBER
    simulator.twilio.opted_out |= {(number, ME), (number, PARTNER)}
    await trip(hass, simulator, "smoke")
    [message] = titled(notices, "The smoke alarm did not reach everybody")
    assert "Nobody could be texted" in message


async def test_status_is_answered(
    hass: HomeAssistant, simulator: Simulator, home: ConfigEntry
) -> None:
    """The question may be written in any way, but not by anybody."""
    answers = await receive(hass, simulator, ME, " Status ")
    assert answers == ["Living room 20.5 °C, front door closed."]
    assert not await receive(hass, simulator, STRANGER, "status")
    assert not await receive(hass, simulator, ME, "statusquo")


async def test_garage_opens(
    hass: HomeAssistant, simulator: Simulator, openings: list[ServiceCall]
) -> None:
    """The command opens it with the code of the contact, who is told so."""
    answers = await receive(hass, simulator, ME, f"Open garage {PIN}")
    assert answers == ["The garage is opening."]
    assert len(openings) == 1


@pytest.mark.parametrize(
    ("sender", "text"),
    [
        (STRANGER, f"open garage {PIN}"),
        (PARTNER, "open garage"),
        (PARTNER, f"open garage {PIN}"),
        (ME, "open garage"),
        (ME, "open garage 1234"),
        (ME, f"garage {PIN}"),
        (ME, PIN),
    ],
)
async def test_garage_stays_closed(
    hass: HomeAssistant,
    simulator: Simulator,
    openings: list[ServiceCall],
    sender: str,
    text: str,
) -> None:
    """Nothing but the command of who may give it, with their code, opens it."""
    assert not await receive(hass, simulator, sender, text)
    assert not openings


async def test_late_messages_command_nothing(
    hass: HomeAssistant,
    simulator: Simulator,
    home: ConfigEntry,
    openings: list[ServiceCall],
    notices: list[ServiceCall],
) -> None:
    """A message that was missed is shown, with its time, and opens nothing."""
    at = datetime.now(UTC)
    simulator.twilio.receive(ME, f"open garage {PIN}", callback=False, at=at)
    await home.runtime_data.coordinator.async_refresh()
    await settle(hass, simulator)
    assert not openings
    [notice] = notices
    assert notice.data["title"] == "SMS from Bob"
    assert notice.data["message"].endswith(": open garage")


async def test_failure_is_notified(
    hass: HomeAssistant,
    simulator: Simulator,
    home: ConfigEntry,
    notices: list[ServiceCall],
) -> None:
    """A message that was not delivered is notified, with the reason."""
    simulator.automatic = False
    data = {"message": "Hello", "target": ME}
    await hass.services.async_call("notify", "home", data, blocking=True)
    [message] = simulator.twilio.messages
    await simulator.twilio.fail(message.id, 30005)
    await settle(hass, simulator)
    [notice] = notices
    assert notice.data["title"] == "SMS to Bob"
    assert "invalid_number" in notice.data["message"]
    assert "30005" in notice.data["message"]


async def test_low_balance_is_notified(
    hass: HomeAssistant,
    simulator: Simulator,
    home: ConfigEntry,
    notices: list[ServiceCall],
) -> None:
    """The balance falls below the threshold, and is notified with its currency."""
    simulator.twilio.balance = Decimal("4.90")
    home.runtime_data.coordinator.async_ask_balance_soon()
    await refresh(hass, simulator, home)
    [notice] = notices
    assert "4.90 USD" in notice.data["message"]


def test_examples_are_made_for_both_events() -> None:
    """The fields the examples use exist."""
    used = {
        name
        for each in AUTOMATIONS.values()
        for name in re.findall(r"trigger\.(\w+)", json.dumps(each))
    }
    known = {each.name for each in fields(StatusChanged)} | {
        "contact",
        "entry_id",
        "sender",
        "text",
        "late",
        "received_at",
    }
    assert used <= known


async def test_action_of_the_example_sends(
    hass: HomeAssistant, simulator: Simulator, home: ConfigEntry
) -> None:
    """The example of the notify action texts, as it stands there."""
    await async_call_from_config(hass, ACTION, blocking=True)
    [message] = simulator.twilio.messages
    assert (message.to, message.text) == (ME, ACTION["data"]["message"])


async def test_call_of_the_example_calls(
    hass: HomeAssistant, simulator: Simulator, home: ConfigEntry
) -> None:
    """The example of the action that calls waits for the key, as it stands there."""
    steps = cv.SCRIPT_SCHEMA([CALL])
    script = Script(hass, steps, "Call", "script")
    running = hass.async_create_task(script.async_run())
    phones = simulator.twilio.phones
    while not phones.calls or phones.calls[0].status != "ringing":
        await asyncio.sleep(0.01)
    [call] = phones.calls
    await phones.use(call.id, "answer")
    await phones.use(call.id, "press", CALL["data"]["acknowledge"])
    result = await running
    assert result is not None
    [answer] = result.variables["answer"]["calls"]
    assert (answer["to"], answer["state"]) == (ME, "acknowledged")
    assert CALL["data"]["message"] in call.heard[0]
    await settle(hass, simulator)


async def test_recorder_of_the_example_leaves_out(
    hass: HomeAssistant, home: ConfigEntry
) -> None:
    """It names the events and the entities that hold texts and numbers."""
    excluded = RECORDER["recorder"]["exclude"]
    events = {EVENT_CALL, EVENT_RECEIVED, EVENT_STATUS, EVENT_ANSWERED, EVENT_ALERT}
    assert set(excluded["event_types"]) == events
    hears = convert_include_exclude_filter(RECORDER_SCHEMA(RECORDER)["recorder"])
    kept = {key: hears(entity_id(hass, home, key)) for key in EXCLUDED | {"balance"}}
    assert kept == dict.fromkeys(EXCLUDED, False) | {"balance": True}


async def test_entities_of_the_examples_exist(
    hass: HomeAssistant, home: ConfigEntry
) -> None:
    """Examples name the entities of the number Home as Home Assistant names them."""
    named = set(re.findall(r"sensor\.home_\w+", ALL))
    assert "sensor.home_balance" in named
    assert named >= set(CARD["entities"])
    assert not [each for each in named if hass.states.get(each) is None]


def test_every_example_is_run() -> None:
    """Who adds an example adds a test that lets it act."""
    others = [each for each in blocks() if "triggers" not in each]
    assert others == [PICTURE, ACTION, CALL, CARD, INBOX, RECORDER]
    assert set(RUN_BY) == set(AUTOMATIONS)


RUN_BY = {
    "Text about a water leak": test_leak_reaches_everybody,
    "Answer by SMS how the house is": test_status_is_answered,
    "Open the garage by SMS": test_garage_opens,
    "Text about smoke": test_smoke_does_not_reach_everybody,
    "Notify about an SMS that was not delivered": test_failure_is_notified,
    "Notify that the SMS balance is low": test_low_balance_is_notified,
    "Show late messages": test_late_messages_command_nothing,
}
