"""The check of JSON and YAML files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts import data_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("good.json", '{"a": [1]}', None),
        ("bad.json", '{"a": 1,}', "line 1"),
        ("twice.json", '{"a": {"b": 1, "b": 2}}', "repeated: b"),
        ("good.yaml", "a: !input text\nb: [1]\n", None),
        ("bad.yaml", "a: [1\n", "line 2"),
        ("twice.yml", "a: 1\na: 2\n", "repeated: a"),
    ],
)
def test_finds_what_cannot_be_read(
    tmp_path: Path, name: str, text: str, problem: str | None
) -> None:
    """A file is read as Home Assistant would, only that equal keys are refused."""
    path = tmp_path / name
    path.write_text(text)
    found = data_files.find_problem(path)
    assert found is None if problem is None else found and problem in found


def test_leaves_out_what_the_commands_made(tmp_path: Path) -> None:
    """Environments and caches are not the project's files; workflows are."""
    for name in (".venv/a.json", ".github/b.yml", "tests/deep/c.json", "d.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = {path.name for path in data_files.data_files(tmp_path)}
    assert found == {"b.yml", "c.json", "d.yaml"}
