"""What quality_scale.yaml claims is true: read from the code, or with its evidence.

Home Assistant's own check leaves custom integrations alone, so its readings of the
code are here. What no reading can tell has a test elsewhere, and is named.
"""

import ast
from functools import cache
from importlib import metadata
import json
from pathlib import Path
import re
import tomllib

from homeassistant.const import Platform
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.virtual_sms import const

ROOT = Path(const.__file__).parent
PROJECT = ROOT.parents[1]
RULES = load_yaml_dict(str(ROOT / "quality_scale.yaml"))["rules"]
MANIFEST = json.loads((ROOT / "manifest.json").read_text("utf-8"))
LIBRARIES = [re.split("[<>=]", each)[0] for each in MANIFEST["requirements"]]
EXEMPT = {"discovery", "discovery-update-info", "docs-supported-devices"}
"""Each with its reason: a rule that is added here needs a good one."""
DISCOVERY = {"bluetooth", "dhcp", "homekit", "mqtt", "ssdp", "usb", "zeroconf"}
"""What a manifest has if its devices announce themselves."""
DOCUMENTED = "tests/test_readme.py::test_every_rule_about_documentation_has_its_section"
HERE = "tests/lint/test_quality_scale.py::"
EVIDENCE = {
    "action-exceptions": "tests/test_services.py::test_bad_input_is_the_callers",
    "action-setup": f"{HERE}test_action_setup",
    "appropriate-polling": "tests/test_coordinator.py::test_interval",
    "async-dependency": f"{HERE}test_nothing_blocks",
    "brands": "tests/lint/test_packaging.py::test_icons",
    "common-modules": f"{HERE}test_entities_have_what_they_share_in_one_place",
    "config-entry-unloading": f"{HERE}test_life_cycle",
    "config-flow": "tests/lint/test_translations.py::test_flow_says_everything",
    "config-flow-test-coverage": "tests/scripts/test_coverage_gate.py::"
    "test_every_file_owes_something",
    "dependency-transparency": f"{HERE}test_libraries_are_free",
    "devices": "tests/test_init.py::test_device",
    "diagnostics": f"{HERE}test_life_cycle",
    "dynamic-devices": "tests/people/test_contacts.py::test_nothing_is_reloaded",
    "entity-category": f"{HERE}test_entities_say_what_they_are",
    "entity-device-class": f"{HERE}test_entities_say_what_they_are",
    "entity-disabled-by-default": f"{HERE}test_entities_say_what_they_are",
    "entity-event-setup": f"{HERE}test_entities_have_what_they_share_in_one_place",
    "entity-translations": "tests/lint/test_translations.py::"
    "test_entities_are_complete",
    "entity-unavailable": "tests/test_sensor.py::test_provider_down",
    "entity-unique-id": f"{HERE}test_entities_have_what_they_share_in_one_place",
    "exception-translations": "tests/lint/test_translations.py::"
    "test_exceptions_are_complete",
    "has-entity-name": f"{HERE}test_entities_have_what_they_share_in_one_place",
    "icon-translations": "tests/lint/test_translations.py::test_icons_are_complete",
    "inject-websession": f"{HERE}test_the_session_is_home_assistants",
    "integration-owner": f"{HERE}test_owner",
    "log-when-unavailable": "tests/test_coordinator.py::test_trouble_is_told_once",
    "parallel-updates": f"{HERE}test_parallel_updates",
    "reauthentication-flow": "tests/test_config_flow.py::test_new_credentials",
    "reconfiguration-flow": "tests/test_config_flow.py::test_rotated_token_is_kept_for_a_day",
    "repair-issues": "tests/test_repairs.py::test_words",
    "runtime-data": f"{HERE}test_runtime_data",
    "stale-devices": "tests/people/test_contacts.py::test_nothing_is_reloaded",
    "strict-typing": f"{HERE}test_strict_typing",
    "test-before-configure": "tests/test_config_flow.py::test_wrong_credentials",
    "test-before-setup": f"{HERE}test_setup_fails_as_it_should",
    "test-coverage": "tests/scripts/test_coverage_gate.py::"
    "test_each_layer_has_its_threshold",
    "unique-config-entry": f"{HERE}test_flow",
}
"""The test of each rule that is done; a renamed test is renamed here as well."""
BLOCKING = {"requests", "urllib3", "http.client", "httplib2"}
TYPED_ENTRY = re.compile(r"[A-Za-z]+ConfigEntry")
TYPED = {
    "__init__": {"async_setup_entry", "async_unload_entry", "async_remove_entry"},
    "diagnostics": {"async_get_config_entry_diagnostics"},
} | {platform.value: {"async_setup_entry"} for platform in Platform}
SETUP_ERRORS = {"ConfigEntryNotReady", "ConfigEntryAuthFailed", "ConfigEntryError"}
PLATFORMS = [each.value for each in Platform if (ROOT / f"{each}.py").exists()]


def parse(module: str) -> ast.Module:
    """Read a module."""
    return ast.parse((ROOT / f"{module}.py").read_text("utf-8"))


def called(module: str) -> set[str]:
    """Return what a module calls."""
    return {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for node in ast.walk(parse(module))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute | ast.Name)
    }


def functions(module: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return a module's functions and methods by name."""
    return {
        node.name: node
        for node in ast.walk(parse(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def annotation(module: str, function: str, position: int) -> str:
    """Return the type of an argument."""
    argument = functions(module)[function].args.args[position]
    return ast.unparse(argument.annotation) if argument.annotation else ""


def name(raised: ast.expr | None) -> str | None:
    """Return what is raised, as far as the check understands it."""
    match raised:
        case None:
            return None
        case ast.Name(id=text):
            return text
        case (
            ast.Call(func=inner)
            | ast.Attribute(value=inner)
            | ast.Subscript(value=inner)
        ):
            return name(inner)
    raise AssertionError(f"The check stumbles over: raise {ast.unparse(raised)}")


@cache
def read_all() -> dict[str, ast.Module]:
    """Read all modules, by their paths."""
    return {
        file.relative_to(ROOT).as_posix(): ast.parse(file.read_text("utf-8"))
        for file in sorted(ROOT.rglob("*.py"))
    }


def status(rule: str) -> str:
    """Return what is claimed of a rule."""
    claim = RULES[rule]
    return str(claim if isinstance(claim, str) else claim["status"])


def test_every_rule_is_kept() -> None:
    """The manifest claims the highest tier, so no rule is open."""
    assert MANIFEST["quality_scale"] == "platinum"
    assert {status(rule) for rule in RULES} == {"done", "exempt"}
    assert {rule for rule in RULES if status(rule) == "exempt"} == EXEMPT


@pytest.mark.parametrize(
    "rule", [each for each in RULES if not isinstance(RULES[each], str)]
)
def test_comments(rule: str) -> None:
    """A comment is a sentence, and whatever is exempt has one."""
    assert RULES[rule]["comment"].endswith(".")


def test_exempt_is_only_what_is_not_there() -> None:
    """Nothing is discovered; with all else there is, a rule has something to ask."""
    assert not DISCOVERY & MANIFEST.keys()
    assert MANIFEST["integration_type"] == "service"
    asked = {
        "docs-actions": "services.yaml",
        "docs-conditions": "conditions.yaml",
        "docs-triggers": "triggers.yaml",
        "dynamic-devices": "entities/contact_platforms.py",
        "stale-devices": "entities/contact_platforms.py",
    }
    for rule, file in asked.items():
        assert (ROOT / file).exists() is (status(rule) == "done"), rule


@pytest.mark.parametrize("rule", [each for each in RULES if status(each) == "done"])
def test_evidence(rule: str) -> None:
    """What is done has a test that would fail if it were not."""
    evidence = DOCUMENTED if rule.startswith("docs-") else EVIDENCE[rule]
    file, _, test = evidence.partition("::")
    tree = ast.parse((PROJECT / file).read_text("utf-8"))
    assert test in {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_owner() -> None:
    """Whoever owns the repository answers for it, and is named in both places."""
    lines = (PROJECT / ".github/CODEOWNERS").read_text("utf-8").splitlines()
    (line,) = [each.split() for each in lines if not each.startswith("#")]
    owner = MANIFEST["documentation"].split("/")[-2]
    assert line == ["*", *MANIFEST["codeowners"]] == ["*", f"@{owner}"]


def test_nothing_blocks() -> None:
    """Only what speaks to a Twilio SDK before 8.0 waits for an answer in a thread."""
    blocking = {
        path
        for path, tree in read_all().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
        if any(f"{module}.".startswith(f"{each}.") for each in BLOCKING)
    }
    assert blocking == {"adapters/twilio/http.py"}


def test_the_session_is_home_assistants() -> None:
    """There is one way to a provider, it is given the session, and none is opened."""
    assert "async_get_clientsession" in called("error_messages")
    opened = {
        ast.unparse(node.func)
        for tree in read_all().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    assert not {each for each in opened if each.endswith("ClientSession")}


def test_strict_typing() -> None:
    """Whoever takes an entry says what it carries; mypy checks the rest."""
    bare = {
        path
        for path, tree in read_all().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation
        if re.search(r"\bConfigEntry\b(?!\[)", ast.unparse(node.annotation))
    }
    assert not bare
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    assert settings["tool"]["mypy"]["strict"] is True


def test_entities_have_what_they_share_in_one_place() -> None:
    """A name of their own, an id, and a subscription that ends with the entity."""
    assert (ROOT / "coordinator.py").exists()
    source = ast.unparse(parse("entity"))
    assert "_attr_has_entity_name = True" in source
    assert "self._attr_unique_id = " in source
    assert "self.async_on_remove(" in ast.unparse(
        functions("entity")["async_added_to_hass"]
    )


def test_entities_say_what_they_are() -> None:
    """They have categories and classes, and what few want is off at first."""
    source = "".join(ast.unparse(parse(platform)) for platform in PLATFORMS)
    assert "EntityCategory.DIAGNOSTIC" in source
    assert "SensorDeviceClass.MONETARY" in source
    assert "entity_registry_enabled_default" in source


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_are_free(library: str) -> None:
    """Each names its licence, which is one of the free ones, and its source."""
    about = metadata.metadata(library)
    # Older releases name it in words, and among their classifiers only.
    named = [about.get("License"), about.get("License-Expression")]
    named += [each for each in about.get_all("Classifier") or [] if "License" in each]
    words = {word for each in named for word in str(each).split()}
    assert words & {"Apache-2.0", "Apache", "BSD", "MIT"}
    places = [about.get("Home-page"), *(about.get_all("Project-URL") or [])]
    assert any("github.com" in (each or "") for each in places)


def test_parallel_updates() -> None:
    """Every platform says how many of its entities may be busy at once."""
    assert PLATFORMS
    for platform in PLATFORMS:
        targets = [
            target.id
            for node in parse(platform).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        ]
        assert "PARALLEL_UPDATES" in targets, platform


@pytest.mark.parametrize("module", sorted(TYPED.keys() & {*PLATFORMS, "__init__"}))
def test_typed_entry(module: str) -> None:
    """Whoever is given an entry knows what it carries."""
    for function in TYPED[module] & functions(module).keys():
        assert TYPED_ENTRY.fullmatch(annotation(module, function, 1)), function


def test_typed_entry_elsewhere() -> None:
    """So do diagnostics and the options."""
    found = annotation("diagnostics", "async_get_config_entry_diagnostics", 1)
    assert TYPED_ENTRY.fullmatch(found)
    found = annotation("config_flow", "async_get_options_flow", 0)
    assert TYPED_ENTRY.fullmatch(found)


def test_runtime_data() -> None:
    """It is set where the check looks for it."""
    assert "entry.runtime_data = " in ast.unparse(
        functions("__init__")["async_setup_entry"]
    )


def test_setup_fails_as_it_should() -> None:
    """Set-up raises by name what Home Assistant tries again or asks about."""
    raised = {
        name(node.exc)
        for tree in read_all().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
    }
    assert raised & SETUP_ERRORS


def test_flow() -> None:
    """The flow has what the check looks for in its own module."""
    assert {"async_step_reauth", "async_step_reconfigure"} <= functions(
        "config_flow"
    ).keys()
    assert {"async_set_unique_id", "_abort_if_unique_id_configured"} <= called(
        "config_flow"
    )


def test_action_setup() -> None:
    """The actions are there whether or not a number is loaded."""
    setup, setup_entry = (
        {
            node.func.id
            for node in ast.walk(functions("__init__")[name])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        for name in ("async_setup", "async_setup_entry")
    )
    assert "async_setup_services" in setup - setup_entry


def test_life_cycle() -> None:
    """A number can be unloaded, removed and looked into."""
    assert {"async_unload_entry", "async_remove_entry"} <= functions("__init__").keys()
    assert "async_get_config_entry_diagnostics" in functions("diagnostics")


def test_libraries_are_untyped() -> None:
    """The comment about strict typing says so; once they are typed it goes."""
    untyped = {
        each
        for each in LIBRARIES
        if all(file.name != "py.typed" for file in metadata.files(each) or ())
    }
    assert untyped == {"ovh", "regex", "twilio"}
    assert all(each in RULES["strict-typing"]["comment"] for each in untyped)
