"""What a release offers."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts import release

ROOT = Path(__file__).parents[2]
CHANGELOG = """# Changelog

## Unreleased

## [0.2.0] - 2026-12-01

- New.

## [0.1.0] - 2026-11-01

- Old.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose files name 0.2.0."""
    package = tmp_path / release.PACKAGE
    (package / "core").mkdir(parents=True)
    (package / "manifest.json").write_text(json.dumps({"version": "0.2.0"}))
    (package / "core" / "inbox.py").write_text("")
    (package / "core" / "__pycache__").mkdir()
    (package / "core" / "__pycache__" / "inbox.pyc").write_text("")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def test_a_version_that_all_files_name(project: Path) -> None:
    """Is released with what the changelog says of it, and of no other."""
    assert not release.list_problems(project, "0.2.0")
    assert release.read_notes(project, "0.2.0") == "- New."
    assert release.read_notes(project, "0.1.0") == "- Old."


def test_another_tag(project: Path) -> None:
    """Is refused, and each file that disagrees is named."""
    problems = release.list_problems(project, "0.3.0")
    assert [each.split()[0] for each in problems] == [
        "manifest.json",
        "pyproject.toml",
        "CHANGELOG.md",
    ]


def test_the_zip(project: Path, tmp_path: Path) -> None:
    """It holds the files of the integration at its root, and is always the same."""
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    release.pack(project / release.PACKAGE, first)
    release.pack(project / release.PACKAGE, second)
    with ZipFile(first) as archive:
        assert archive.namelist() == ["core/inbox.py", "manifest.json"]
    assert first.read_bytes() == second.read_bytes()


def test_the_command(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes both files, or neither."""
    monkeypatch.setattr(release, "ROOT", project)
    monkeypatch.setattr("sys.argv", ["release.py", "v0.2.0", str(tmp_path / "out")])
    release.main()
    assert {each.name for each in (tmp_path / "out").iterdir()} == {
        "notes.md",
        "virtual_sms.zip",
    }
    monkeypatch.setattr("sys.argv", ["release.py", "v9", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match=r"names 0\.2\.0, the tag 9"):
        release.main()
    assert not (tmp_path / "none").exists()


def test_one_version() -> None:
    """All files of this project name the same version."""
    assert len(set(release.read_versions(ROOT).values())) == 1
