"""What runs on the oldest supported releases too, and what needs to run only once."""

from __future__ import annotations

import ast
from pathlib import Path
import re

ROOT = Path(__file__).parents[2]
CORE = ROOT / "custom_components" / "virtual_sms" / "core"
TESTS = ROOT / "tests"
LIBRARIES = {"ovh", "phonenumbers", "pyotp", "regex", "twilio"}
"""What the manifest asks for, as it is imported."""


def listed(name: str) -> set[str]:
    """Return a list of scripts/test."""
    script = (ROOT / "scripts" / "test").read_text(encoding="utf-8")
    [found] = re.findall(rf"^{name}=\((.*)\)$", script, re.MULTILINE)
    return set(found.split())


def imports(file: Path) -> set[str]:
    """Return the packages that a file imports."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }


def test_what_core_does_with_a_library_runs_with_its_oldest_release() -> None:
    """Each module of core that imports one has its tests there, as has its user."""
    direct = {file.stem for file in CORE.glob("*.py") if imports(file) & LIBRARIES}
    assert direct
    assert direct <= listed("aged")
    assert all((TESTS / "core" / f"test_{each}.py").exists() for each in listed("aged"))


def test_what_runs_once_is_the_same_whatever_the_age() -> None:
    """No test of policy or storage that runs once imports what has an age."""
    assert "store" in listed("ageless")
    once = [
        *(TESTS / "store").rglob("*.py"),
        *(
            file
            for file in (TESTS / "core").glob("test_*.py")
            if file.stem.removeprefix("test_") not in listed("aged")
        ),
    ]
    aged = LIBRARIES | {"homeassistant"}
    assert [file.name for file in once if imports(file) & aged] == []
