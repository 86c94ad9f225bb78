"""The coverage gate: what each layer owes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from scripts import coverage_gate

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "custom_components/virtual_sms"


def report(path: str, percent: float, **missing: list[Any]) -> dict[str, Any]:
    """Return what `coverage json` would write about one file."""
    measured = {
        "summary": {"percent_covered": percent},
        "missing_lines": [],
        "missing_branches": [],
        **missing,
    }
    return {"files": {path: measured}, "totals": {"percent_covered": percent}}


@pytest.mark.parametrize(
    ("module", "percent", "enough"),
    [
        ("adapters/twilio.py", 100.0, True),
        ("adapters/twilio.py", 99.9, False),
        ("ledger.py", 99.9, False),
        ("config_flow.py", 99.9, False),
        ("sensor.py", 95.1, True),
        ("sensor.py", 95.0, False),
        ("a_new_module.py", 50.0, False),
    ],
)
def test_each_layer_has_its_threshold(
    module: str, percent: float, *, enough: bool
) -> None:
    """Adapters, core and the config flow owe all, the glue more than 95 %."""
    debts = coverage_gate.list_debts(report(f"{PACKAGE}/{module}", percent))
    assert not debts if enough else debts


def test_says_what_is_missing() -> None:
    """A debt names the lines, and the branches that no missing line explains."""
    [debt] = coverage_gate.list_debts(
        report(
            f"{PACKAGE}/ledger.py",
            90.0,
            missing_lines=[7],
            missing_branches=[[6, 7], [8, 10], [9, -1]],
        )
    )
    assert debt.endswith("90.0 %, owes 100 % (7, 8->10, 9->exit)")


def test_nothing_measured_is_a_debt() -> None:
    """An empty report is a broken measurement, not a success."""
    assert coverage_gate.list_debts({"files": {}})


def test_reads_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says that all is well, or exits with what is not."""
    path = tmp_path / "coverage.json"
    monkeypatch.setattr("sys.argv", ["coverage_gate.py", str(path)])

    path.write_text(json.dumps(report(f"{PACKAGE}/ledger.py", 100.0)))
    coverage_gate.main()
    assert "1 files covered as agreed" in capsys.readouterr().out

    path.write_text(json.dumps(report(f"{PACKAGE}/ledger.py", 99.0)))
    with pytest.raises(SystemExit, match=r"ledger\.py"):
        coverage_gate.main()
