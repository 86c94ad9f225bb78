"""Show what was counted."""

from collections.abc import Sequence

from .columns import COLUMNS, Row


def render(names: Sequence[str], rows: Sequence[Row]) -> str:
    """Return the table as text."""
    table = [["", *(each.title for each in COLUMNS)]] + [
        [name, *(str(row[each.key]) for each in COLUMNS)]
        for name, row in zip(names, rows, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    )
    return "\n".join(f"| {line} |" for line in lines)
