"""What hassfest and HACS demand of the files around the code."""

import json
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
import pytest

from custom_components.virtual_sms import const

PRODUCT = Path(const.__file__).parent
ROOT = PRODUCT.parents[1]
HACS_KNOWS = {
    "content_in_root",
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "name",
    "persistent_directory",
    "render_readme",
    "zip_release",
}
HACS_DEMANDS = {
    "codeowners",
    "documentation",
    "domain",
    "issue_tracker",
    "name",
    "version",
}
SIDES = {"icon": 256, "icon@2x": 512, "dark_icon": 256, "dark_icon@2x": 512}
HEIGHTS = {"logo": 128, "logo@2x": 256, "dark_logo": 128, "dark_logo@2x": 256}


def read(path: Path) -> dict[str, Any]:
    """Read a file of JSON."""
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def measure(name: str) -> tuple[int, int]:
    """Return how wide and how high a picture of the brand is."""
    head = (PRODUCT / "brand" / f"{name}.png").read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n")
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def test_manifest() -> None:
    """It has what HACS demands, and its keys stand as hassfest wants them."""
    manifest = read(PRODUCT / "manifest.json")
    assert manifest.keys() >= HACS_DEMANDS
    assert manifest["domain"] == PRODUCT.name == const.DOMAIN
    first, rest = list(manifest)[:2], list(manifest)[2:]
    assert first == ["domain", "name"]
    assert rest == sorted(rest)
    assert not {*manifest["dependencies"]} & {*manifest["after_dependencies"]}


def test_hacs() -> None:
    """Its file holds nothing that it refuses, and it finds one integration."""
    hacs = read(ROOT / "hacs.json")
    assert hacs.keys() <= HACS_KNOWS
    assert hacs["name"] == read(PRODUCT / "manifest.json")["name"]
    assert (ROOT / "README.md").is_file()
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License\n")
    found = [each.parent for each in PRODUCT.parent.glob("*/manifest.json")]
    assert found == [PRODUCT]


def test_hacs_asks_for_the_oldest_release_that_is_tested() -> None:
    """What is older is not offered."""
    floor = (ROOT / "requirements_floor.txt").read_text("utf-8")
    assert read(ROOT / "hacs.json")["homeassistant"] in floor


def requirements(name: str) -> dict[str, Requirement]:
    """Return what a file of requirements asks for, by name."""
    lines = (ROOT / f"requirements_{name}.txt").read_text("utf-8").splitlines()
    asked = [Requirement(bare) for line in lines if (bare := line.partition("#")[0])]
    return {each.name: each for each in asked}


@pytest.mark.parametrize(
    "wanted", read(PRODUCT / "manifest.json")["requirements"], ids=str
)
def test_both_ends_of_what_is_allowed_are_tested(wanted: str) -> None:
    """The oldest release that the manifest allows, and up to the same bound."""
    allowed = Requirement(wanted)
    oldest = requirements("floor")[allowed.name].specifier
    newest = requirements("test")[allowed.name].specifier
    [floor] = [each.version for each in allowed.specifier if each.operator == ">="]
    [pinned] = [each.version for each in oldest if each.operator == "=="]
    assert Version(floor) == Version(pinned)
    assert upper_bounds(newest) == upper_bounds(allowed.specifier) != set()


def upper_bounds(specifier: SpecifierSet) -> set[str]:
    """Return what a release must be below."""
    return {each.version for each in specifier if each.operator == "<"}


@pytest.mark.parametrize("name", SIDES)
def test_icons(name: str) -> None:
    """An icon is a square of the size that Home Assistant shows."""
    assert measure(name) == (SIDES[name], SIDES[name])


@pytest.mark.parametrize("name", HEIGHTS)
def test_logos(name: str) -> None:
    """A logo is a landscape of the height that Home Assistant shows."""
    width, height = measure(name)
    assert height == HEIGHTS[name]
    assert width > height
