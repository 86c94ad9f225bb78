"""Prove that every column can fail: one fault of the product each, and what it breaks."""

from collections.abc import Sequence
from dataclasses import dataclass
import sys
from typing import Final

from .experiment import Pace, Report, experiment
from .table import render


@dataclass(frozen=True)
class Trial:
    """How a fault is brought to light, and the promises that it alone breaks."""

    breaks: str
    also: frozenset[str] = frozenset()
    shakes: Sequence[str] = ()
    seconds: float = 4.0
    drain: float = 30.0
    """An alarm that nobody takes goes on for as long."""


_IGNORED: Final = frozenset({"pressed, went on"})
TRIALS: Final[dict[str, Trial]] = {
    # A question that is repeated is seen there as well.
    "resend-without-asking": Trial(
        "accepted_twice", frozenset({"texted twice"}), ("lost answers",), seconds=12.0
    ),
    "wait-for-ever": Trial(
        "outbound_lost", frozenset({"pending", "unpublished"}), ("faults",)
    ),
    "receipts-dropped": Trial("unpublished", frozenset({"pending"})),
    "all-called-delivered": Trial("lies"),
    "everybody-believed": Trial("believed", frozenset({"lies"})),
    "nothing-noted": Trial("twice", shakes=("kill",), seconds=8.0),
    "newest-first": Trial("disorder", shakes=("kill",), seconds=8.0),
    "some-lost": Trial("inbound_lost"),
    "one-too-many": Trial("pending"),
    "stumbling": Trial("complaints"),
    "sent-but-refused": Trial("falsely_refused"),
    "texted-again": Trial("texted twice", seconds=8.0),
    # The key of a call that nobody planned takes nothing.
    "phoned-again": Trial("phoned twice", _IGNORED, seconds=8.0),
    "alarms-quiet": Trial("alarms lost"),
    "never-resting": Trial("taken, went on", _IGNORED, seconds=8.0, drain=60.0),
    "keys-ignored": Trial("pressed, went on", seconds=20.0, drain=60.0),
    "no-limit": Trial("over limit"),
    "everybody-trusted": Trial("obeyed wrongly", frozenset({"code used twice"})),
    "codes-taken-again": Trial("code used twice"),
    "codes-left-in": Trial("code told"),
}


async def try_all(names: Sequence[str], seed: int) -> int:
    """Try some mutants, and return whether each broke what it should and no more."""
    failed = [name for name in names if not await _try(name, seed)]
    if failed:
        print(f"crash: not seen as they are: {', '.join(failed)}", file=sys.stderr)
        return 1
    print("crash: every mutant was seen")
    return 0


async def _try(name: str, seed: int) -> bool:
    trial = TRIALS[name]
    pace = Pace(
        seconds=trial.seconds,
        drain=trial.drain,
        traffic_every=0.2,
        polls=False,
        shakes=trial.shakes,
        mutant=name,
    )
    report = await experiment(pace, seed)
    is_seen = _is_seen(trial, report)
    found = ", ".join(sorted(report.broken)) or "nothing"
    print(f"==> {name}: broke {found}", flush=True)
    if not is_seen:
        print(render(report.names, report.rows))
        print("\n".join(report.complaints[:3]), report.missing)
    return is_seen


def _is_seen(trial: Trial, report: Report) -> bool:
    allowed = {trial.breaks} | trial.also
    return trial.breaks in report.broken and report.broken <= allowed
