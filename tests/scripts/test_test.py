"""The command that runs the tests, with stand-ins for all that it starts."""

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
PARTS = ("newest", "floor", "card")
MEET = "touch met.{0}; for _ in {{1..200}}; do {1} && break; sleep 0.1; done"

type Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs it in a project whose parts do as they are told."""
    scripts = tmp_path / "scripts"
    for folder in (scripts, tmp_path / "tests" / "core"):
        folder.mkdir(parents=True)
    for name in ("test", "lib.sh"):
        shutil.copy(ROOT / "scripts" / name, scripts / name)
    for name in ("test_inbox.py", "test_phone_numbers.py"):
        (tmp_path / "tests" / "core" / name).touch()
    write(scripts / "setup", "")

    def run(
        *arguments: str, newest: str = "", floor: str = "", card: str = ""
    ) -> tuple[int, list[str], str]:
        python = '[[ "$1 $2" == "-m pytest" ]] || exit 0\necho runs: $*\n'
        for name, does in (("", newest), ("-floor", floor), ("-browser", "")):
            folder = f".venv{name}"
            (tmp_path / folder / "bin").mkdir(parents=True, exist_ok=True)
            write(tmp_path / folder / "bin" / "python", python + does)
        write(scripts / "frontend", f"echo runs\n{card}")
        ran = subprocess.run(
            (scripts / "test", *arguments),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return ran.returncode, ran.stdout.splitlines(), ran.stderr

    return run


def test_all_run_at_once(run: Run) -> None:
    """Each part sees the others at work, and a line says whose it is."""
    all_met = " && ".join(f"[[ -e met.{each} ]]" for each in PARTS)
    meeting = {each: MEET.format(each, all_met) + f"; {all_met}" for each in PARTS}
    code, lines, errors = run(**meeting)
    assert (code, errors) == (0, "")
    started = {each.partition(":")[0] for each in lines if ": runs" in each}
    assert started == set(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_a_failure_is_named(run: Run, part: str) -> None:
    """It fails the whole, and the others run all the same."""
    code, lines, errors = run(**{part: "exit 3"})
    assert code == 1
    assert f"Failed: {part}\n" in errors
    assert sum(": runs" in each for each in lines) == len(PARTS)


def test_the_browser_leaves_the_others_reports(run: Run, tmp_path: Path) -> None:
    """Nor do they take its own away: they run beside one another."""
    run("--browser")
    run()
    for name in (".reports-browser/pytest-browser.log", ".reports/pytest-newest.log"):
        assert "runs" in (tmp_path / name).read_text()


def test_what_has_no_age_runs_once(run: Run) -> None:
    """The oldest release repeats none of it, unless it is asked to."""
    _, lines, _ = run()
    [newest] = [each for each in lines if each.startswith("newest: runs")]
    [floor] = [each for each in lines if each.startswith("floor: runs")]
    assert "--ignore" not in newest
    assert "--one-provider" in floor
    assert "--ignore=tests/store" in floor
    assert "--ignore=tests/core/test_inbox.py" in floor
    assert "test_phone_numbers" not in floor
    _, lines, _ = run("--floor", "tests/core/test_inbox.py")
    assert "--ignore" not in "".join(lines)
