"""Let contestants run in turn, and compare them pair by pair."""

from collections.abc import Awaitable, Callable, Mapping
import statistics

type Figures = Mapping[str, float]
type Contestant = Callable[[], Awaitable[Figures]]


class Duel(dict[str, list[Figures]]):
    """The figures of each contestant, round by round."""

    def median(self, name: str, figure: str) -> float:
        """Return the figure of the round in the middle."""
        return statistics.median(each[figure] for each in self[name])

    def ratio(self, name: str, other: str, figure: str) -> float:
        """Return the median of one's figures over another's, round by round."""
        pairs = zip(self[name], self[other], strict=True)
        return statistics.median(one[figure] / two[figure] for one, two in pairs)


async def duel(
    contestants: Mapping[str, Contestant], rounds: int, *, warm_up: bool = True
) -> Duel:
    """Run each once to warm up, then all in turn, `rounds` times.

    Every other round goes backwards, so that nobody always follows the same one.
    """
    result = Duel({name: [] for name in contestants})
    for run in contestants.values() if warm_up else ():
        await run()
    for number in range(rounds):
        order = list(contestants.items())
        for name, run in reversed(order) if number % 2 else order:
            result[name].append(await run())
    return result
