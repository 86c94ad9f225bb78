"""The gate, with stand-ins for all its steps."""

from __future__ import annotations

from pathlib import Path
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.scripts.test_ci import write

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
TOOLS = ("mypy", "python", "ruff", "shellcheck", "zizmor")
SLOW = ("mypy", "frontend", "demo")

type Run = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs it in a project whose commands do as they are told."""
    scripts, tools = tmp_path / "scripts", tmp_path / ".venv" / "bin"
    for folder in (scripts, tools, tmp_path / ".reports"):
        folder.mkdir(parents=True)
    for name in ("check", "lib.sh"):
        shutil.copy(ROOT / "scripts" / name, scripts / name)
    (tmp_path / ".reports" / "summary").touch()
    places = dict.fromkeys(TOOLS, tools) | dict.fromkeys(
        ("setup", "frontend", "test", "demo"), scripts
    )

    def run(*arguments: str, **does: str) -> tuple[int, list[str], list[str]]:
        for name, folder in places.items():
            write(folder / name, f"echo {name} runs\n{does.get(name, '')}")
        ran = subprocess.run(
            (scripts / "check", *arguments),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return ran.returncode, ran.stdout.splitlines(), ran.stderr.splitlines()

    return run


def test_all_is_well(run: Run) -> None:
    """What takes seconds comes first, then the tests, the result last."""
    code, lines, errors = run()
    assert (code, errors, lines[-1]) == (0, [], "check: all passed")
    assert lines.index("demo runs") < lines.index("test runs")


def test_only_what_takes_seconds(run: Run) -> None:
    """A commit hook waits for neither the tests nor the demo."""
    code, lines, _ = run("--fast")
    assert code == 0
    assert "mypy runs" in lines
    assert not {"test runs", "demo runs"} & {*lines}


def test_the_slow_ones_run_at_once(run: Run) -> None:
    """Each sees the others at work."""
    met = " && ".join(f"[[ -e met.{each} ]]" for each in SLOW)
    wait = f"for _ in {{1..200}}; do {met} && exit; sleep 0.1; done; exit 1"
    code, *_ = run(**{each: f"touch met.{each}; {wait}" for each in SLOW})
    assert code == 0


@pytest.mark.parametrize(
    ("command", "step"),
    [("mypy", "types"), ("demo", "demo"), ("test", "tests")],
)
def test_a_failure_is_named(run: Run, command: str, step: str) -> None:
    """With how to repeat it; all others run all the same."""
    code, lines, errors = run(**{command: "exit 3"})
    assert code == 1
    assert errors[0] == "error: check: 1 failed"
    assert errors[1].split()[:4] == [step, "repeat", "it", "with:"]
    ran = {each for each in lines if each.endswith(" runs")}
    assert len(ran) == len(TOOLS) + 4
