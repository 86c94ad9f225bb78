"""What a stranger looks for before they trust a repository, and who works there unseen."""

from pathlib import Path
import re

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FOR_STRANGERS = {
    "SECURITY.md": ("## How to report", "## What is promised"),
    "CODE_OF_CONDUCT.md": ("# ",),
    "CONTRIBUTING.md": ("## ",),
    "LICENSE": ("",),
    ".github/pull_request_template.md": ("- [ ]",),
    ".github/ISSUE_TEMPLATE/bug.yml": ("description:",),
    ".github/ISSUE_TEMPLATE/feature.yml": ("description:",),
}
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40} # \S+")


@pytest.mark.parametrize("name", FOR_STRANGERS)
def test_it_is_there(name: str) -> None:
    """Each of these says what it is for."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.strip()
    assert all(part in text for part in FOR_STRANGERS[name])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_others_wrote_is_pinned(path: Path) -> None:
    """An action is named by its commit: a tag may be moved to another one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    used = [each.partition("uses: ")[2] for each in lines if "uses: " in each]
    assert used
    assert [each for each in used if not PINNED.fullmatch(each)] == []


def test_what_is_coming_is_tried_each_week() -> None:
    """The newest of everything, and the generations of an SDK between both ends."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/next.yml").read_text())
    # YAML reads the key "on" as true.
    assert workflow[True]["schedule"]
    tests = workflow["jobs"]["tests"]["strategy"]["matrix"]["tests"]
    assert tests == ["--next", "--sdk twilio==7.*", "--sdk twilio==8.*"]


def test_a_release_is_checked_signed_and_explained() -> None:
    """A tag is compared with the version, passes the gate, and gets an attested zip."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    assert workflow[True]["push"]["tags"] == ["v*"]
    steps = workflow["jobs"]["release"]["steps"]
    said = " ".join(each.get("run") or each["uses"] for each in steps)
    order = ("scripts/release.py", ".ci/run", "actions/attest@", "--notes-file")
    places = [said.index(each) for each in order]
    assert places == sorted(places)
