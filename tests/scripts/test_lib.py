"""What the commands share."""

from __future__ import annotations

from fcntl import LOCK_EX, flock
from pathlib import Path
import subprocess

ROOT = Path(__file__).parents[2]
WAIT = 'source "$0"; wait_for_our_turn "$1" scripts/x; echo begins'


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    """It says so, and begins when the first has ended: both write to one folder."""
    lock = tmp_path / "folder" / "x.lock"
    lock.parent.mkdir()
    command = ["bash", "-c", WAIT, str(ROOT / "scripts" / "lib.sh"), str(lock)]
    with lock.open("w") as first:
        flock(first, LOCK_EX)
        second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert second.stdout is not None
        assert (
            second.stdout.readline() == "==> Waiting for another scripts/x to finish\n"
        )
        assert second.poll() is None
    said, _ = second.communicate(timeout=60)
    assert (said, second.returncode) == ("begins\n", 0)


def test_one_alone_waits_for_nobody(tmp_path: Path) -> None:
    """It makes the folder of its lock."""
    lock = tmp_path / "folder" / "x.lock"
    command = ["bash", "-c", WAIT, str(ROOT / "scripts" / "lib.sh"), str(lock)]
    said = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True
    )
    assert (said.stdout, said.stderr) == ("begins\n", "")
    assert lock.exists()
