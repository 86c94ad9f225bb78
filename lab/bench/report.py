"""The rows of the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure beside what it should be."""

    what: str
    beside: str
    figure: str
    target: str
    is_met: bool | None
    """None where nothing is to be reached."""

    @classmethod
    def at_least(cls, what: str, beside: str, value: float, target: float) -> Self:
        """Make a row of a ratio that should not be smaller."""
        return cls(
            what=what,
            beside=beside,
            figure=f"{value:.2f} x",
            target=f">= {target:.2f} x",
            is_met=value >= target,
        )

    @classmethod
    def at_most(  # a row has that many cells
        cls, what: str, beside: str, value: float, target: float, unit: str = "x"
    ) -> Self:
        """Make a row of a figure that should not be greater."""
        return cls(
            what=what,
            beside=beside,
            figure=f"{value:.2f} {unit}",
            target=f"<= {target:g} {unit}",
            is_met=value <= target,
        )

    @classmethod
    def ratio(cls, what: str, beside: str, value: float) -> Self:
        """Make a row of a ratio that has no target."""
        return cls.note(what, beside, f"{value:.2f} x")

    @classmethod
    def note(cls, what: str, beside: str, figure: str) -> Self:
        """Make a row that has no target."""
        return cls(what=what, beside=beside, figure=figure, target="", is_met=None)


def without_recorder(what: str, ratios: Mapping[str, float]) -> list[Row]:
    """Make the rows of ratios in a home where nothing is recorded meanwhile."""
    return [
        Row.ratio(f"{what}, no recorder", beside, value)
        for beside, value in ratios.items()
    ]


_TITLES: Final = ("What", "Beside", "Measured", "Target", "Met")
_MET: Final = {True: "yes", False: "NO", None: ""}


def render(rows: Sequence[Row]) -> str:
    """Return the rows as a table that reads well as text and as Markdown."""
    table = [_TITLES] + [
        (row.what, row.beside, row.figure, row.target, _MET[row.is_met]) for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    ]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)
