"""What builds and checks the card, with stand-ins for Node and npm."""

from __future__ import annotations

from pathlib import Path
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
NEEDED = ("bash", "cat", "dirname", "git", "id", "sed")
NPM = 'echo "npm $*"; mkdir -p node_modules'

type Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs it on a system on which only what is given is installed."""
    project, system = tmp_path / "project", tmp_path / "bin"
    for folder in (project / "frontend", project / "scripts", system):
        folder.mkdir(parents=True)
    for name in ("frontend", "lib.sh"):
        shutil.copy(ROOT / "scripts" / name, project / "scripts" / name)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "frontend" / name, project / "frontend" / name)
    for name in (*NEEDED, "mkdir"):
        (system / name).symlink_to(str(shutil.which(name)))

    def run(command: str, **commands: str) -> tuple[int, list[str], str]:
        for name, does in commands.items():
            path = system / name.replace("_", "-")
            path.write_text(f"#!{shutil.which('bash')}\n{does}\n")
            path.chmod(0o755)
        ran = subprocess.run(
            (project / "scripts" / "frontend", command),
            env={"PATH": str(system)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return ran.returncode, ran.stdout.splitlines(), ran.stderr

    return run


def test_packages_are_fetched_once(run: Run) -> None:
    """As the lock file says, and without running what they bring."""
    code, said, _ = run("check", node="exit 0", npm=NPM)
    assert code == 0
    assert said[-2:] == [
        "npm ci --ignore-scripts --no-audit --no-fund --silent",
        "npm run --silent check",
    ]
    _, said, _ = run("test")
    assert said == ["npm run --silent test"]


@pytest.mark.parametrize("command", ["check", "test", "setup"])
def test_without_node_it_is_left_out(run: Run, command: str) -> None:
    """Which is said, and fails nothing: the built card is in the repository."""
    code, said, _ = run(command, node="exit 1", npm=NPM, apt_get="exit 1")
    assert code == 0
    assert said[-1].startswith(f"frontend: {command} LEFT OUT, as there is no Node 20")


def test_without_a_registry_it_is_left_out(run: Run) -> None:
    """Nothing is taken for fetched then."""
    code, said, _ = run("check", node="exit 0", npm="exit 1")
    assert code == 0
    assert "LEFT OUT, as npm could not fetch its packages" in said[-1]
    code, said, _ = run("check", npm=NPM)
    assert said[-1] == "npm run --silent check"


def test_a_card_that_cannot_be_built_is_an_error(run: Run) -> None:
    """Who asks for it wants to know."""
    code, _, error = run("build", node="exit 1", npm=NPM, apt_get="exit 1")
    assert code == 1
    assert error.startswith("error: The card cannot be built: there is no Node 20")


def test_what_fails_fails(run: Run) -> None:
    """A committed card that is not what the source builds stops the gate."""
    fails = 'mkdir -p node_modules; [[ $1 == ci ]] || { echo "error: other"; exit 1; }'
    code, said, _ = run("check", node="exit 0", npm=fails)
    assert code == 1
    assert said[-1] == "error: other"
    assert run("bake")[0] == 1
