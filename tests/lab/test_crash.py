"""A short run of `scripts/crash`: a real Home Assistant, killed at its work."""

from pathlib import Path
import subprocess

import pytest

PROJECT = Path(__file__).parents[2]
BOUND = 400


@pytest.mark.lab
def test_every_promise_survives_a_crash() -> None:
    """Nothing is lost, nothing is accepted twice, nothing forged is believed."""
    finished = subprocess.run(  # noqa: PLW1510  # a failure is shown with its table
        [PROJECT / "scripts" / "crash", "--seconds", "10", "--seed", "7"],
        capture_output=True,
        text=True,
        timeout=BOUND,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    rows = [line for line in finished.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 5
    assert "crash: every promise kept" in finished.stdout
