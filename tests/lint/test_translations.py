"""Every word that a person may be shown is there, in every language."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
import json
from pathlib import Path
import re
from string import Formatter
from typing import Any

from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from custom_components.virtual_sms import bus as events, event, sensor
from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.adapters.call_models import CallState, Direction
from custom_components.virtual_sms.adapters.errors import (
    MessageRejectedError,
    SmsError,
)
from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
    InboundMessage,
    RejectReason,
)
from custom_components.virtual_sms.const import SECTION_LIMITS
from custom_components.virtual_sms.core.contacts import CodeKind
from custom_components.virtual_sms.core.reachability import Verdict
from custom_components.virtual_sms.entities import tally_sensor
from custom_components.virtual_sms.entities.contact_sensor import CONTACT_STATUS
from custom_components.virtual_sms.flows.contact import contact_schema
from custom_components.virtual_sms.flows.contact_check_steps import CONF_SEND_TEST
from custom_components.virtual_sms.flows.contact_code import pin_schema, totp_schema
from custom_components.virtual_sms.flows.credential_form import SECTION_ADVANCED
from custom_components.virtual_sms.flows.credentials import CONSENT_ERRORS
from custom_components.virtual_sms.flows.form_errors import FORM_ERRORS
from custom_components.virtual_sms.flows.schemas import (
    account_schema,
    callbacks_schema,
    limits_schema,
    number_schema,
    options_schema,
)
from custom_components.virtual_sms.media.images import Unfit
from custom_components.virtual_sms.replies.alert_action import (
    ALERT_SCHEMA,
    CANCEL_ALERT_FIELDS,
)
from custom_components.virtual_sms.replies.ask_action import ASK_SCHEMA
from custom_components.virtual_sms.services import CALL_SCHEMA, SEND_MESSAGE_SCHEMA
from custom_components.virtual_sms.store.changes import (
    CallChanged,
    Received,
    StatusChanged,
    Trust,
)
from custom_components.virtual_sms.store.database_file import StorageError
from custom_components.virtual_sms.store.usage import Limit

ROOT = Path(sensor.__file__).parent
LANGUAGES = sorted(path.stem for path in (ROOT / "translations").glob("*.json"))
EXPECTED_LANGUAGES = ["en", "fr"]

# Checked as hassfest does (script/hassfest/translations.py).
URL = re.compile(r"(\w+://|www\.)", re.IGNORECASE)
HTML = re.compile(r"<[a-z!/]", re.IGNORECASE)
QUOTED_PLACEHOLDER = re.compile(r"'{\w+}'")
REFERENCE = re.compile(r"\[%")
SENT = {
    "assist_busy": set[str](),
    "assist_done": set[str](),
    "assist_failed": set[str](),
    "assist_missing": set[str](),
    "assist_refused": set[str](),
    "assist_slow": set[str](),
    "question_choices": {"choices"},
    "alert_answer": {"answer"},
    "alert_taken": {"who", "message"},
    "alert_taken_by_you": {"message"},
}
"""What people are texted by us, and not by an automation."""
PLACEHOLDERS_OF_LOGBOOK = {
    "logbook_received_text": {"correspondent", "text"},
    "logbook_someone": set[str](),
}
SPOKEN = {
    "call_greeting": set[str](),
    "call_prompt": {"digit"},
    "call_thanks": set[str](),
}
KEY = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")

ADDRESS_ERRORS = {"group_empty", "no_contact"}
"""What is said when nobody is found at an address."""
MENUS_OF_CHECK = {"not_reached", "no_answer"}
"""The steps that follow a test of a contact which nobody answered."""
OF_CONTACT = {"contact", "contact_id", "person"}
"""What an event tells of a contact, besides what it is about."""

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
RECEIVED = Received(
    message=InboundMessage(
        message_id="m", number=None, sender="s", text="t", received_at=NOW
    ),
    late=False,
)
CALLED = CallChanged(
    call_id="c",
    provider_id=None,
    direction=Direction.OUTBOUND,
    correspondent="r",
    state=CallState.QUEUED,
    previous=None,
    at=NOW,
)
CHANGED = StatusChanged(
    message_id="m",
    provider_id=None,
    recipient="r",
    status=DeliveryStatus.QUEUED,
    previous=None,
    at=NOW,
)


@cache
def texts(language: str) -> dict[str, str]:
    """Return a language's texts by their dotted keys."""
    return dict(_flatten(read(language)))


@cache
def read(language: str) -> dict[str, Any]:
    """Return a language's file."""
    path = ROOT / "translations" / f"{language}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _flatten(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def codes(root: type[SmsError] = SmsError) -> set[str]:
    """Return the codes of an error and of all that descend from it."""
    return {root.code}.union(*map(codes, root.__subclasses__()))


@cache
def modules() -> list[ast.Module]:
    """Return the integration's code."""
    return [ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")]


def nodes() -> Iterator[ast.AST]:
    """Walk through the integration's code."""
    for module in modules():
        yield from ast.walk(module)


def constant(node: ast.AST | None) -> str | None:
    """Return a literal text, if the node is one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def raised() -> dict[str, set[str]]:
    """Return the placeholders that the code gives to each key it names itself.

    A function that takes the key as its first argument is followed to its callers.
    """
    found: dict[str, set[str]] = {}
    helpers: set[str] = set()
    for node in nodes():
        for call in _translated(node):
            given = {each.arg: each.value for each in call.keywords}
            key, names = given["translation_key"], given.get("translation_placeholders")
            if text := constant(key):
                keys = names.keys if isinstance(names, ast.Dict) else []
                found[text] = {str(constant(each)) for each in keys}
            elif isinstance(node, ast.FunctionDef) and isinstance(key, ast.Name):
                helpers.add(node.name)
    for node in nodes():
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in helpers:
            found[str(constant(node.args[0]))] = set()
    return found


def _translated(node: ast.AST) -> list[ast.Call]:
    """List the calls of a function that name a translated exception."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    return [
        each
        for each in ast.walk(node)
        if isinstance(each, ast.Call)
        and {"translation_domain", "translation_key"}
        <= {keyword.arg for keyword in each.keywords}
    ]


SET_UP = ("config_flow", "flows/credential_steps")
"""Where the steps are that only the set-up has."""


def in_flow(word: str, *modules: str) -> set[str]:
    """Return what a flow gives as a `reason`, a `step_id` and the like.

    Its steps are in its own module and in the one that both flows share.
    """
    trees = [
        ast.parse((ROOT / f"{module}.py").read_text(encoding="utf-8"))
        for module in (*(modules or SET_UP), "flows/callback_steps")
    ]
    return {
        str(node.value.value)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword)
        and node.arg == word
        and isinstance(node.value, ast.Constant)
    }


def fields_of(schema: Any) -> list[str]:
    """Return the names of a form's fields."""
    return [str(key) for key in schema.schema]


def test_languages() -> None:
    """Both languages are there."""
    assert LANGUAGES == EXPECTED_LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_say_the_same(language: str) -> None:
    """Each language has the same texts, with the same placeholders."""
    english, other = texts("en"), texts(language)
    assert list(other) == list(english)
    differing = {
        key
        for key, text in other.items()
        if placeholders(text) != placeholders(english[key])
    }
    assert not differing


def test_languages_differ() -> None:
    """Nothing was left in English, but names and words that are the same."""
    same = {
        text
        for key, text in texts("fr").items()
        if text == texts("en")[key] and " " in text
    }
    assert same <= {"Account SID", "Auth token"} | {
        "Application key",
        "Application secret",
        "Consumer key",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_well_formed(language: str) -> None:
    """No text holds what Home Assistant refuses, or blanks nobody sees."""
    for key, text in texts(language).items():
        assert text, key
        assert text == text.strip(), key
        for refused in (URL, HTML, QUOTED_PLACEHOLDER, REFERENCE):
            assert not refused.search(text), key
        assert all(name.isidentifier() for name in placeholders(text)), key
        assert all(KEY.fullmatch(part) for part in key.split(".")), key


def test_french_is_set_as_french() -> None:
    """No line begins with the second half of a sign that French sets apart."""
    for key, text in texts("fr").items():
        assert not re.search(r"[^\xa0][:;?!](\*|\s|$)", text), key
        assert not re.search(r"«[^\xa0]|[^\xa0]»", text), key
        assert "’" not in text, key


@pytest.mark.parametrize(
    ("language", "refused"),
    [
        (
            "en",
            r"may not (?!arrive)|way back|their own number|\b(announc|mend|told\b|news\b|glimpse)",
        ),
        ("fr", r"vérification régulière|console (du|de|d')|rappel|\b(tu|toi|remis)\b"),
        ("fr", r"propre numéro|sélectionnez valider"),
    ],
)
def test_one_thing_has_one_name(language: str, refused: str) -> None:
    """People read the same word for the same thing, and none with two meanings."""
    for key, text in texts(language).items():
        assert not re.search(refused, text, re.IGNORECASE), key


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("selector", "entity"), [("status", "delivery"), ("call_state", "call")]
)
def test_a_state_has_one_name(language: str, selector: str, entity: str) -> None:
    """The trigger's editor calls a state as the entity does."""
    every = texts(language)
    attribute = f"entity.event.{entity}.state_attributes.event_type.state"
    found = {
        key: text
        for key, text in every.items()
        if key.startswith(f"selector.{selector}.options.")
    }
    assert found
    for key, text in found.items():
        assert text == every[f"{attribute}.{key.rpartition('.')[2]}"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_exceptions_are_complete(language: str) -> None:
    """Every error has its sentence, and no sentence lacks its error."""
    rules = {
        f"{key}_{code}".lower()
        for key, adapter in ADAPTERS.items()
        for code in adapter.error_rules
    }
    reasons = {
        f"{MessageRejectedError.code}_{reason}"
        for reason in RejectReason
        if reason is not RejectReason.OTHER
    }
    verdicts = {f"return_path_{each}" for each in Verdict}
    storage = {each.code for each in (StorageError, *StorageError.__subclasses__())}
    expected = codes() | rules | reasons | set(raised()) | {"invalid_number"} | verdicts
    limits = {f"{each}_reached" for each in Limit} | {"limit_too_low"}
    shapes = {
        f"shape_{field.key}"
        for adapter in ADAPTERS.values()
        for field in adapter.credential_fields
        if field.shape
    }
    expected |= storage | shapes | limits | ADDRESS_ERRORS
    expected |= {"number_needs_quotes", "secret_missing"}
    expected |= {f"media_{each}" for each in Unfit}
    assert set(read(language)["exceptions"]) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_exceptions_use_what_they_are_given(language: str) -> None:
    """A placeholder without a value would be shown as it is."""
    value = {"value"}
    given = raised() | {"invalid_number": value, "number_needs_quotes": value}
    given |= dict.fromkeys(ADDRESS_ERRORS, value)
    kinds = (StorageError, *StorageError.__subclasses__())
    given |= {each.code: {"file"} for each in kinds}
    given |= {f"{each}_reached": {"until"} for each in Limit}
    for key, sentence in read(language)["exceptions"].items():
        assert placeholders(sentence["message"]) <= given.get(key, set()), key


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("provider", sorted(ADAPTERS))
def test_credential_form_is_complete(language: str, provider: str) -> None:
    """Every credential has a label and says where it is found."""
    step = read(language)["config"]["step"][provider]
    advanced = step["sections"][SECTION_ADVANCED]
    for node, is_advanced in ((step, False), (advanced, True)):
        expected = {
            field.key
            for field in ADAPTERS[provider].credential_fields
            if field.advanced is is_advanced
        }
        assert set(node["data"]) == set(node["data_description"]) == expected
    assert advanced["name"]
    assert step["title"]
    assert placeholders(step["description"]) == set(ADAPTERS[provider].links)
    menu = read(language)["config"]["step"]["user"]
    assert provider in menu["menu_options"]
    assert provider in menu["menu_option_descriptions"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_forms_are_complete(language: str) -> None:
    """Every field of the other forms has a label and an explanation."""
    config, options = read(language)["config"], read(language)["options"]
    forms = {
        "known_account": fields_of(account_schema({})),
        "number": fields_of(number_schema([], typed=True)),
        "callbacks": fields_of(callbacks_schema("polling")),
        "takeover": ["confirm"],
    }
    for name, fields in forms.items():
        step = config["step"][name]
        assert (
            sorted(step["data"]) == sorted(step["data_description"]) == sorted(fields)
        )
    init = options["step"]["init"]
    schema = options_schema(calls=True)
    fields = [each for each in fields_of(schema) if each != SECTION_LIMITS]
    assert sorted(init["data"]) == sorted(init["data_description"]) == sorted(fields)
    limits, fields = init["sections"][SECTION_LIMITS], fields_of(limits_schema())
    assert (
        sorted(limits["data"]) == sorted(limits["data_description"]) == sorted(fields)
    )
    for select in schema.schema.values():
        if "translation_key" in getattr(select, "config", ()):
            words = read(language)["selector"][select.config["translation_key"]]
            assert sorted(words["options"]) == sorted(select.config["options"])
    of_triggers = {"alert_state", "call_direction", "call_state", "late", "match"}
    of_triggers |= {"status", "trust"}
    of_actions = {"answers", "media_as_link", "steps", "wait_for"}
    of_actions |= {"wait_for_call"}
    of_options = {"incoming_calls", "mode", "privacy"}
    expected = {"code"} | of_options | of_triggers | of_actions
    assert set(read(language)["selector"]) == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["triggers", "conditions"])
def test_the_editor_finds_what_is_about_sms(language: str, kind: str) -> None:
    """Whoever types SMS where automations are written finds each of ours by its name."""
    described = load_yaml_dict(str(ROOT / f"{kind}.yaml"))
    words = read(language)[kind]
    assert set(words) == set(described)
    assert [key for key, each in words.items() if "SMS" not in each["name"]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_forms_of_people_are_complete(language: str) -> None:
    """Every field, error and end of the forms of contacts and groups has its words."""
    both = {"invalid_name", "name_taken"}
    expected = {
        "contact": (
            set(fields_of(contact_schema(is_new=False))),
            both | {"invalid_code", "invalid_number", "invalid_pin", "number_taken"},
        ),
        "group": ({"name", "members"}, both | {"no_contact", "no_members"}),
    }
    codes = {
        "pin": set(fields_of(pin_schema(may_keep=False))),
        "totp": set(fields_of(totp_schema("", may_keep=False))),
    }
    kinds = read(language)["config_subentries"]
    assert set(kinds) == set(expected)
    for kind, (fields, errors) in expected.items():
        words = kinds[kind]
        assert set(words["initiate_flow"]) == {"user", "reconfigure"}
        assert words["entry_type"]
        steps = dict.fromkeys(("user", "reconfigure"), fields)
        steps |= codes if kind == "contact" else {}
        assert set(words["step"]) - MENUS_OF_CHECK == set(steps)
        for key, wanted in steps.items():
            step = words["step"][key]
            assert step["data"].keys() == step["data_description"].keys()
            assert set(step["data"]) - {CONF_SEND_TEST} == wanted
        assert set(words["error"]) == errors
        assert set(words["abort"]) == {"reconfigure_successful", "removed"}
    refusals = kinds["contact"]["error"]
    assert placeholders(refusals["invalid_number"]) == {"value"}
    assert placeholders(refusals["number_taken"]) == {"number", "owner"}
    assert set(read(language)["selector"]["code"]["options"]) == set(CodeKind)


@pytest.mark.parametrize("language", LANGUAGES)
def test_test_of_a_contact_is_complete(language: str) -> None:
    """A new contact's form offers the test, whose steps have words and values."""
    words = read(language)["config_subentries"]["contact"]
    offered = set(fields_of(contact_schema(is_new=True)))
    assert set(words["step"]["user"]["data"]) == offered
    assert CONF_SEND_TEST not in words["step"]["reconfigure"]["data"]
    assert set(words["progress"]) == in_flow(
        "progress_action", "flows/contact_check_steps"
    )
    assert placeholders(words["progress"]["check"]) == {"number"}
    given = {"not_reached": {"problem"}, "no_answer": set()}
    for name in MENUS_OF_CHECK:
        step = words["step"][name]
        assert set(step["menu_options"]) == {"check", "correct", "keep"}
        assert placeholders(step["description"]) == given[name]


@pytest.mark.parametrize("language", LANGUAGES)
def test_flow_says_everything(language: str) -> None:
    """Every step, error and end of the flow has its words."""
    config = read(language)["config"]
    named = {"api_key_incomplete", "invalid_number", "no_numbers", "no_public_url"}
    consent = {error for error in CONSENT_ERRORS.values() if error}
    errors = named | consent | set(FORM_ERRORS.values()) | {"unknown"}
    assert set(config["error"]) == errors

    home_assistants = {
        "already_configured",
        "already_in_progress",
        "reauth_successful",
        "reconfigure_successful",
    }
    assert set(config["abort"]) == in_flow("reason") | home_assistants

    steps = in_flow("step_id") | set(ADAPTERS)
    assert set(config["step"]) == steps
    assert set(config["progress"]) == in_flow("progress_action")


@pytest.mark.parametrize("language", LANGUAGES)
def test_options_say_everything(language: str) -> None:
    """Every step and error of the options has its words, as in the set-up."""
    config, options = read(language)["config"], read(language)["options"]
    steps = in_flow("step_id", "flows/options")
    assert set(options["step"]) == steps
    for step in in_flow("step_id", "flows/callback_steps"):
        assert options["step"][step] == config["step"][step]
    errors = set(FORM_ERRORS.values()) | {"no_public_url", "unknown"}
    assert set(options["error"]) == errors
    assert set(options["abort"]) == {"removed"}
    assert set(options) == {"step", "error", "abort"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_have_what_they_refer_to(language: str) -> None:
    """Missing rights are named, and at the set-up what is wrong with a key."""
    given = {"missing_rights": {"rights"}}
    for flow, more in (("config", {"invalid_auth": {"detail"}}), ("options", {})):
        for error, text in read(language)[flow]["error"].items():
            assert placeholders(text) == (given | more).get(error, set())


@pytest.mark.parametrize("language", LANGUAGES)
def test_logbook_is_complete(language: str) -> None:
    """Everything that happens has its sentence."""
    keys = {"received", "received_text", "someone", *DeliveryStatus}
    keys |= {f"call_{direction}" for direction in Direction}
    common = dict(read(language)["common"])
    for key, words in (SPOKEN | SENT).items():
        assert placeholders(common.pop(key)) == words
    assert placeholders(common.pop("callback_check_passed")) == {"provider"}
    assert placeholders(common.pop("contact_check")) == {"line"}
    assert placeholders(common.pop("notify_name")) == {"line"}
    assert placeholders(common.pop("notify_description")) == set()
    assert set(common) == {f"logbook_{key}" for key in keys}
    for key, text in common.items():
        expected = PLACEHOLDERS_OF_LOGBOOK.get(key, {"correspondent"})
        assert placeholders(text) == expected, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_system_health_is_complete(language: str) -> None:
    """Each line of the system page has its words."""
    reachable = {f"can_reach_{key}" for key in ADAPTERS}
    expected = reachable | {"numbers", "numbers_loaded", "pending_messages"}
    assert set(read(language)["system_health"]["info"]) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_flow_fills_its_placeholders(language: str) -> None:
    """What a form's text refers to is what the flow gives it."""
    config = read(language)["config"]
    assert placeholders(config["step"]["callbacks"]["description"]) == {"address"}
    assert placeholders(config["step"]["manual"]["description"]) == {"callback_url"}
    assert placeholders(config["step"]["takeover"]["description"]) == {"foreign_url"}
    assert placeholders(config["progress"]["authorize"]) == {"url"}
    assert not set().union(*map(placeholders, config["abort"].values()))


def sensors() -> list[Any]:
    """Return what describes the sensors."""
    return [
        *sensor.LAST_SENSORS,
        *tally_sensor.TALLY_SENSORS,
        tally_sensor.SPENT,
        tally_sensor.SPENT_CREDITS,
        sensor.CREDITS,
        sensor.MONEY,
        sensor.LINE_STATUS,
        sensor.LAST_CHECK,
        sensor.OPEN_ALERTS,
        CONTACT_STATUS,
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_entities_are_complete(language: str) -> None:
    """Every entity has a name, and every state that it may have."""
    entity = read(language)["entity"]
    assert set(entity["sensor"]) == {each.translation_key for each in sensors()}
    for each in sensors():
        words = entity["sensor"][each.translation_key]
        assert words["name"]
        assert set(words.get("state", {})) == set(each.options or ())

    assert set(entity["event"]) == {each.translation_key for each in event.EVENTS}
    for each in event.EVENTS:
        words = entity["event"][each.translation_key]
        types = words["state_attributes"]["event_type"]["state"]
        assert words["name"]
        assert set(types) == set(each.event_types)


@pytest.mark.parametrize("language", LANGUAGES)
def test_attributes_are_complete(language: str) -> None:
    """Every attribute has a name, and every word that it may hold."""
    entity = read(language)["entity"]
    for each in sensor.LAST_SENSORS:
        words = entity["sensor"][each.translation_key].get("state_attributes", {})
        assert set(words) == set(each.attributes)
    for key, change in (
        ("message", RECEIVED),
        ("delivery", CHANGED),
        ("call", CALLED),
    ):
        _, told = events.describe(change)
        words = entity["event"][key]["state_attributes"]
        more = {Received: {"answer_to", "trust"}, CallChanged: {"trust"}}
        own = {"event_type", *told, *OF_CONTACT, *more.get(type(change), set())}
        expected = own | events.COMMON_FIELDS
        assert set(words) == expected
        assert all(each["name"] for each in words.values())
    words = entity["event"]["message"]["state_attributes"]
    assert set(words["trust"]["state"]) == {each.shown for each in Trust}
    words = entity["event"]["delivery"]["state_attributes"]
    assert set(words["reason"]["state"]) == set(RejectReason)
    for key in ("event_type", "status", "previous"):
        assert set(words[key]["state"]) == set(DeliveryStatus)
    words = entity["event"]["call"]["state_attributes"]
    for key in ("event_type", "state", "previous"):
        assert set(words[key]["state"]) == set(CallState)
    assert set(words["reason"]["state"]) == set(RejectReason)
    assert set(words["direction"]["state"]) == set(Direction)


def test_icons_are_complete() -> None:
    """Every entity, action and section has an icon."""
    icons, english = read_icons(), read("en")
    for platform, entities in english["entity"].items():
        assert set(icons["entity"][platform]) == set(entities)
        assert all(each["default"] for each in icons["entity"][platform].values())
    assert set(icons["services"]) == set(services())
    for action, words in english["services"].items():
        assert icons["services"][action]["service"]
        sections = icons["services"][action].get("sections", {})
        assert set(sections) == set(words.get("sections", {}))
    for step, words in english["config"]["step"].items():
        shown = icons["config"]["step"].get(step, {"sections": {}})
        assert set(shown["sections"]) == set(words.get("sections", {}))
    assert all(text.startswith("mdi:") for _, text in _flatten(icons))
    message, last = (
        icons["entity"][platform][key]["default"]
        for platform, key in (("event", "message"), ("sensor", "last_message"))
    )
    assert message != last, "On the page of a device nobody could tell them apart."


def test_icons_are_not_repeated() -> None:
    """An icon that a state shares with its default is refused, as it does nothing."""
    entities = read_icons()["entity"].values()
    pending = [each for platform in entities for each in platform.values()]
    assert pending
    while pending:
        icon = pending.pop()
        assert icon["default"] not in icon.get("state", {}).values()
        pending.extend(icon.get("state_attributes", {}).values())


def read_icons() -> dict[str, Any]:
    """Return the icons."""
    content: dict[str, Any] = json.loads((ROOT / "icons.json").read_text("utf-8"))
    return content


def services() -> dict[str, Any]:
    """Return the actions as they are described to the frontend."""
    return load_yaml_dict(str(ROOT / "services.yaml"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_actions_are_complete(language: str) -> None:
    """Every action, field and section has a name and a description."""
    described = read(language)["services"]
    assert set(described) == set(services())
    for action, content in services().items():
        words = described[action]
        sections = {
            key: field for key, field in content["fields"].items() if "fields" in field
        }
        fields = set(content["fields"]) - set(sections)
        fields = fields.union(*(each["fields"] for each in sections.values()))
        assert words["name"]
        assert words["description"]
        assert set(words["fields"]) == fields
        assert all(each["name"] for each in words["fields"].values())
        assert all(each["description"] for each in words["fields"].values())
        assert set(words.get("sections", {})) == set(sections)


@pytest.mark.parametrize(
    ("action", "schema"),
    [
        ("send_message", SEND_MESSAGE_SCHEMA),
        ("call", CALL_SCHEMA),
        ("ask", ASK_SCHEMA),
        ("alert", ALERT_SCHEMA),
        ("cancel_alert", CANCEL_ALERT_FIELDS),
    ],
)
def test_actions_describe_their_schema(action: str, schema: Any) -> None:
    """What an action takes is what the frontend offers, and as mandatory."""
    fields = services()[action]["fields"]
    more = fields.pop("additional_fields", {}).get("fields", {})
    described = {
        key: field.get("required", False) for key, field in {**fields, **more}.items()
    }
    assert described == {
        str(key): isinstance(key, vol.Required) for key in schema.schema
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_objects_in_actions_are_described(language: str) -> None:
    """Every field of a choice, and of a step, has a name."""
    for action, field, schema in (
        ("ask", "answers", {"id", "sentences"}),
        ("alert", "steps", {"contacts", "to", "call"}),
    ):
        selector = services()[action]["fields"][field]["selector"]["object"]
        words = read(language)["selector"][selector["translation_key"]]["fields"]
        assert set(selector["fields"]) == set(words) == schema
