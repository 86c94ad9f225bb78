"""Let contestants run in turn, and compare them pair by pair."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
import statistics

type Contestant = Callable[[], Awaitable[float]]


@dataclass(slots=True)
class Duel:
    """The figures of each contestant, round by round."""

    figures: dict[str, list[float]] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Return the figure of the round in the middle."""
        return statistics.median(self.figures[name])

    def ratio(self, name: str, anchor: str) -> float:
        """Return the median of one's figures over another's, round by round."""
        pairs = zip(self.figures[name], self.figures[anchor], strict=True)
        return statistics.median(one / other for one, other in pairs)


async def duel(contestants: Mapping[str, Contestant], rounds: int) -> Duel:
    """Run each once to warm up, then all in turn, `rounds` times.

    Every other round goes backwards, so that nobody always follows the same one.
    """
    result = Duel({name: [] for name in contestants})
    for run in contestants.values():
        await run()
    for number in range(rounds):
        order = list(contestants.items())
        for name, run in reversed(order) if number % 2 else order:
            result.figures[name].append(await run())
    return result
