"""What continuous integration runs, with stand-ins for the commands."""

from __future__ import annotations

from pathlib import Path
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import BROWSERS

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
BUILT = ["builds: newest floor demo browser", "fetches: setup"]
AGAIN = [
    "browser: what failed is tried once more, with nothing beside it",
    "the browser: --browser --last-failed",
]
LEFT_OUT = "browser: left out, as there is no Chromium and none can be installed"
NEEDED = ("bash", "cat", "dirname", "id", "mktemp", "rm", "sleep", "timeout", "touch")
MEET = "touch met.{0}; for _ in {{1..200}}; do [[ -e met.{1} ]] && exit; sleep 0.1; done; exit 1"

type Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs it, in a project and on a system that do as they are told.

    A command is given by what it does; what is not given is not there.
    """
    project, system = tmp_path / "project", tmp_path / "bin"
    for folder in (project / ".ci", project / "scripts", system):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", project / ".ci" / "run")
    for name in NEEDED:
        (system / name).symlink_to(str(shutil.which(name)))

    def run(
        setup: str = "", check: str = "", test: str = "", **commands: str
    ) -> tuple[int, list[str], str]:
        write(project / "scripts" / "setup", f"echo builds: $*\n{setup}")
        write(project / "scripts" / "frontend", "echo fetches: $*")
        write(project / "scripts" / "check", f"echo the gate\n{check}")
        write(project / "scripts" / "test", f"echo the browser: $*\n{test}")
        for name, does in commands.items():
            (system / name).unlink(missing_ok=True)
            write(system / name.replace("_", "-"), does)
        ran = subprocess.run(
            (project / ".ci" / "run",),
            env={"PATH": str(system)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return ran.returncode, ran.stdout.splitlines(), ran.stderr

    return run


def write(path: Path, does: str) -> None:
    """Write a command."""
    path.write_text(f"#!{shutil.which('bash')}\n{does}\n", encoding="utf-8")
    path.chmod(0o755)


def test_all_is_well(run: Run) -> None:
    """All is built at once; then the gate, the browser, and the result last."""
    assert run(chromium="") == (
        0,
        [*BUILT, "the gate", "the browser: --browser", "check: all passed"],
        "",
    )


def test_the_browser_runs_beside_the_gate(run: Run) -> None:
    """Each sees the other at work."""
    code, _, errors = run(
        check=MEET.format("gate", "browser"),
        test=MEET.format("browser", "gate"),
        chromium="",
    )
    assert (code, errors) == (0, "")


def test_no_chromium(run: Run) -> None:
    """Without one, a line says so, and the gate alone decides."""
    code, lines, _ = run(id="echo 1000", apt_get="exit 1")
    assert (code, lines) == (0, [*BUILT, "the gate", LEFT_OUT, "check: all passed"])


def test_none_to_be_had(run: Run) -> None:
    """Nor does it fail where there are no such packages."""
    code, lines, _ = run(id="echo 0", apt_get="exit 100")
    assert (code, lines[-2:]) == (0, [LEFT_OUT, "check: all passed"])


def test_chromium_is_installed(run: Run, tmp_path: Path) -> None:
    """On a runner whose user may, it is fetched and used."""
    chromium = tmp_path / "bin" / "chromium"
    fetch = f'[[ $* != *install* ]] || {{ echo > {chromium}; "{shutil.which("chmod")}" +x {chromium}; }}'
    code, lines, _ = run(id="echo 0", apt_get=fetch)
    assert code == 0
    assert "the browser: --browser" in lines


@pytest.mark.parametrize(
    ("check", "test", "blamed"),
    [
        ("exit 3", "", ["scripts/check"]),
        ("", "exit 1", ["scripts/test --browser"]),
        ("exit 1", "exit 1", ["scripts/check", "scripts/test --browser"]),
    ],
)
def test_failure(run: Run, check: str, test: str, blamed: list[str]) -> None:
    """What fails is named and fails the whole; the other runs all the same."""
    code, lines, errors = run(check=check, test=test, chromium="")
    assert code == 1
    assert lines == [
        *BUILT,
        "the gate",
        "the browser: --browser",
        *(AGAIN if test else []),
    ]
    assert errors.splitlines() == [f"check: FAILED: {each}" for each in blamed]


def test_a_page_that_took_too_long_beside_the_gate(run: Run) -> None:
    """What failed there, and passes alone, has passed."""
    code, lines, errors = run(test="[[ $* == *last-failed ]]", chromium="")
    assert (code, errors) == (0, "")
    assert lines[-3:] == [*AGAIN, "check: all passed"]


def test_what_cannot_be_built(run: Run) -> None:
    """Whoever needs it says so: here it is no reason to look at nothing."""
    code, lines, _ = run(setup="exit 1", check="exit 1", chromium="")
    assert code == 1
    assert lines == [*BUILT, "the gate", "the browser: --browser"]


def test_every_browser_that_the_tests_take_is_looked_for() -> None:
    """Nothing is installed beside what would do."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    [names] = re.findall(r"command -v (.*) >/dev/null; }$", script, re.MULTILINE)
    assert tuple(names.split()) == BROWSERS
