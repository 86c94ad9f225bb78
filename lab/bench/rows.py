"""The rows of the table, part by part: what each is to reach, and what fills it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
import operator
from statistics import median
from typing import Final, NamedTuple

_MEETS: Final = {"<=": operator.le, ">=": operator.ge, "==": operator.eq}
_NOTHING: Final = 1e-9
"""What is added to what may be nothing, before it is divided by."""
TITLES: Final = ("What", "Beside", "To reach", "Measured", "Met")
NOISE: Final = 1.15
"""How much more of the same a row may seem to take, by chance."""
# A part, its row, what is beside it, and its goal.
_TABLE: Final = """
alarm|An alarm leaves, this disk|core's twilio_sms|<= 1 x
alarm|The whole call, provider 100 ms, this disk|core's twilio_sms|<= 1.01 x
alarm|An alarm leaves, 15 ms a flush|core's twilio_sms|<= 1 x
alarm|The whole call, provider 100 ms, 15 ms a flush|core's twilio_sms|<= 1.01 x
alert|An alert, until its first SMS is accepted|the provider's 50 ms|<= 1.5 x
alert|From its acknowledgement until all ten know|the provider's 50 ms|<= 2.5 x
ovh|Speed at OVHcloud, provider 50 ms, this disk|the bare SDK|>= 1 x
ovh|Speed at OVHcloud, provider 50 ms, 15 ms a flush|the bare SDK|>= 1 x
many|Speed of 50 calls at once|core's twilio_sms|>= 1.7 x
many|Speed of one call to 50, provider 50 ms, this disk|core's twilio_sms|>= 12 x
many|Speed of one call to 50, provider 50 ms, 15 ms a flush|core's twilio_sms|>= 12 x
door|A message opens the door|core's twilio|<= 4.5 x
door|Flushes before it opens||== 1 flushes
disk|Flushes per inbound message||== 1 flushes
disk|Flushes per send||== 2 flushes
disk|Flushes per status||== 1 flushes
disk|Written per inbound message||<= 8 KiB
disk|Written per send||<= 16 KiB
disk|Written per status||<= 6 KiB
disk|Written while nothing happens||== 0 KiB
disk|Written per inbound message, 10,000 messages||<= 25 KiB
disk|Written per send, 10,000 messages||<= 25 KiB
disk|Written per status, 10,000 messages||<= 6 KiB
flood|Inbound messages, 32 connections|the twin|>= 0.95 x
flood|Statuses, 32 connections|the twin|>= 0.9 x
forged|Forgeries refused|a refusal by the SDK alone|>= 0.85 x
forged|A light's wait meanwhile|a flood of a no-op webhook|<= 0.5 x
memory|Memory, set up|core after its first send|<= 5.5 MiB more
stall|Longest stall, 50 sends and 50 callbacks|core's twilio, twilio_sms|<= 1 x
stall|Longest stall, 50 sends and 50 callbacks||<= 10 ms
store|On disk, each of 10,000 messages||<= 320 bytes
store|Set-up, 50 ms a request, 10,000 messages|an empty store|<= 1.2 x
store|Set-up, answered at once, 10,000 messages|an empty store|<= 1.5 x
history|A catch-up of 1,000 messages|its requests of 200 ms each|<= 1.2 x
history|A catch-up of 1,000 messages, longest stall||<= 10 ms
history|A poll that finds nothing, 10,000 messages|an empty store|<= 1.05 x
recorder|Recorder rows per message, one of a stranger||<= 5 rows
recorder|Recorder rows per message, one of the same person||<= 4 rows
recorder|Recorder rows per message, 50 of one person||<= 3.2 rows
recorder|Recorder rows per message, 50 strangers||<= 4.2 rows
recorder|Recorder rows per status, one message||<= 4.4 rows
recorder|Recorder rows per status, 50 messages||<= 3 rows
"""

type Figures = Mapping[str, float]


class Figure(NamedTuple):
    """What was measured of us, round by round, and of whom we stand beside, if any."""

    own: Sequence[float]
    beside: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One figure that is to reach a goal, such as `<= 1.5 x`."""

    what: str
    beside: str
    goal: str

    def judge(self, figure: Figure, other: Figure | None = None) -> tuple[str, ...]:
        """Return the cells of a line; what is shown decides whether the goal is met.

        Beside the figure of another commit it is met where this one takes no more.
        """
        if other is not None:
            return self._compare(figure, other)
        sign, limit, unit = self.goal.split(" ", 2)
        shown = f"{self._measure(figure):.2f}"
        is_met = _MEETS[sign](float(shown), float(limit))
        measured = (f"{shown} {unit}", "yes" if is_met else "NO")
        return (self.what, self.beside, self.goal, *measured)

    def _compare(self, figure: Figure, other: Figure) -> tuple[str, ...]:
        pairs = zip(figure.own, other.own, strict=True)
        ratio = median((one + _NOTHING) / (two + _NOTHING) for one, two in pairs)
        unit = self.goal.split(" ", 2)[2]
        values = (f"{self._measure(each):.2f} {unit}" for each in (figure, other))
        return (self.what, *values, f"{ratio:.2f}", "NO" if ratio > NOISE else "yes")

    def _measure(self, figure: Figure) -> float:
        """Return the median, round by round, of how much more it is; or how much less."""
        pairs = zip(figure.own, figure.beside or repeat(1.0), strict=False)
        return median(
            two / one if self.goal[0] == ">" else one / two for one, two in pairs
        )


def _read(table: str) -> Mapping[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for line in table.split("\n")[1:-1]:
        part, *cells = line.split("|")
        rows.setdefault(part, []).append(Row(*cells))
    return rows


ROWS: Final = _read(_TABLE)


def render(*lines: Sequence[str]) -> str:
    """Return lines, the first of them the head, as text that is Markdown as well."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [lines[0], ["-" * width for width in widths], *lines[1:]]
    cells = [map(str.ljust, line, widths, strict=True) for line in table]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
