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
    ("module", "owed"),
    [
        ("adapters/base.py", 100.0),
        ("adapters/models.py", 100.0),
        ("core/outbox.py", 100.0),
        ("store/database.py", 100.0),
        ("core/token_bucket.py", 100.0),
        ("config_flow.py", 100.0),
        ("flows/schemas.py", 100.0),
        ("flows/options.py", 100.0),
        ("sensor.py", 95.01),
        ("callbacks/webhook.py", 95.01),
    ],
)
def test_each_layer_has_its_threshold(module: str, owed: float) -> None:
    """Adapters, core and the config flow owe all, the glue more than 95 %."""
    assert coverage_gate.list_files()[f"{PACKAGE}/{module}"] == owed


def test_every_file_owes_something(tmp_path: Path) -> None:
    """A new file owes what its imports tell, and none is left out."""
    package = tmp_path / PACKAGE
    (package / "core").mkdir(parents=True)
    (package / "core" / "new.py").write_text("import asyncio\n")
    (package / "new.py").write_text("from homeassistant.core import HomeAssistant\n")
    owed = {f"{PACKAGE}/core/new.py": 100.0, f"{PACKAGE}/new.py": 95.01}
    assert coverage_gate.list_files(tmp_path) == owed


@pytest.mark.parametrize(("percent", "enough"), [(95.1, True), (95.0, False)])
def test_a_file_below_what_it_owes(percent: float, *, enough: bool) -> None:
    """Is named."""
    path = f"{PACKAGE}/sensor.py"
    debts = coverage_gate.list_debts(report(path, percent), {path: 95.01})
    assert not debts if enough else debts


def test_a_file_that_was_not_measured() -> None:
    """Absent from the report, it may be covered by nothing at all."""
    path = f"{PACKAGE}/sensor.py"
    owed = {path: 95.01, f"{PACKAGE}/event.py": 95.01}
    [debt] = coverage_gate.list_debts(report(path, 100.0), owed)
    assert "event.py" in debt
    [debt] = coverage_gate.list_debts(report(path, 100.0), {f"{PACKAGE}/x.py": 100.0})[
        :1
    ]
    assert "x.py" in debt


def test_says_what_is_missing() -> None:
    """A debt names the lines, and the branches that no missing line explains."""
    [debt] = coverage_gate.list_debts(
        report(
            f"{PACKAGE}/store.py",
            90.0,
            missing_lines=[7],
            missing_branches=[[6, 7], [8, 10], [9, -1]],
        ),
        {f"{PACKAGE}/store.py": 100.0},
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
    owed = {f"{PACKAGE}/store.py": 100.0}
    monkeypatch.setattr(coverage_gate, "list_files", lambda: owed)

    path.write_text(json.dumps(report(f"{PACKAGE}/store.py", 100.0)))
    coverage_gate.main()
    assert "1 files covered as agreed" in capsys.readouterr().out

    path.write_text(json.dumps(report(f"{PACKAGE}/store.py", 99.0)))
    with pytest.raises(SystemExit, match=r"store\.py"):
        coverage_gate.main()
