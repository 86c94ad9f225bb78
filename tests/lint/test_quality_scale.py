"""What quality_scale.yaml claims is what Home Assistant's own check would find.

That check leaves custom integrations alone, so its readings of the code are here.
"""

import ast
from importlib import metadata
import json
from pathlib import Path
import re

from homeassistant.const import Platform
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.virtual_sms import const

ROOT = Path(const.__file__).parent
RULES = load_yaml_dict(str(ROOT / "quality_scale.yaml"))["rules"]
EXEMPT = {
    "async-dependency",
    "discovery",
    "discovery-update-info",
    "docs-conditions",
    "docs-supported-devices",
    "docs-triggers",
    "dynamic-devices",
    "inject-websession",
    "stale-devices",
    "strict-typing",
}
"""Each with its reason: a rule that is added here needs a good one."""
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


def test_every_rule_is_kept() -> None:
    """The manifest claims the highest tier, so no rule is open."""
    manifest = json.loads((ROOT / "manifest.json").read_text("utf-8"))
    assert manifest["quality_scale"] == "platinum"
    exempt = {rule for rule, status in RULES.items() if status != "done"}
    assert exempt == EXEMPT
    for rule in exempt:
        assert RULES[rule]["status"] == "exempt"
        assert RULES[rule]["comment"].endswith(".")


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
        for file in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
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
    """Once they are typed, strict-typing is no longer exempt."""
    requirements = json.loads((ROOT / "manifest.json").read_text("utf-8"))[
        "requirements"
    ]
    names = {re.split("[=<>]", each)[0] for each in requirements}
    untyped = {
        each
        for each in names
        if all(file.name != "py.typed" for file in metadata.files(each) or ())
    }
    assert untyped == {"ovh", "twilio"}
