"""What it costs to catch up with what no callback brought."""

import statistics
from typing import Final

from .duel import duel
from .report import Row
from .stage import CheckError, Stage, open_stage

MISSED: Final = 1_000
ROUNDS: Final = 3
# Twilio publishes no rate, only that calls at once are limited; and each page is
# known from the one before it. So its paging is as fast as it answers.
_DELAY: Final = 0.2


class _Reader:
    """Whoever reads the history of a number, and how long it held the loop."""

    def __init__(self, stage: Stage, verb: str, **data: object) -> None:
        """Take the verb that reads it."""
        self._stage = stage
        self._verb = verb
        self._data = data
        self.longest: list[float] = []
        self.pages: dict[str, int] = {}

    async def read(self, **data: object) -> float:
        """Read it all, anew, and return the seconds that it took."""
        before = (await self._stage.tell_provider(missed=MISSED))["pages"]
        seen = await self._stage.home.probe(self._verb, **self._data, **data)
        after = (await self._stage.tell_provider())["pages"]
        if seen["found"] != MISSED:
            raise CheckError(f"{seen['found']} were found instead of {MISSED}")
        self.pages = _since(before, after)
        self.longest.append(seen["stall"])
        await self._stage.home.probe("rest")
        return float(seen["seconds"])


def _since(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    changed = {size: count - before.get(size, 0) for size, count in after.items()}
    return {size: count for size, count in changed.items() if count}


async def bench_catch_up() -> list[Row]:
    """Time a catch-up beside the requests that it makes."""
    async with open_stage("catchup") as stage:
        twilio = stage.simulator.twilio
        entry_id = (await stage.add_number("twilio"))["entry_id"]
        ours = _Reader(stage, "catch_up", entry_id=entry_id, count=MISSED)
        alone = _Reader(
            stage,
            "list_pages",
            url=stage.provider.url,
            number=twilio.NUMBER,
            credentials=[twilio.ACCOUNT_SID, twilio.auth_token],
        )

        async def read_alone() -> float:
            [size] = ours.pages
            return await alone.read(size=size)

        await stage.tell_provider(delay=_DELAY)
        result = await duel({"ours": ours.read, "alone": read_alone}, ROUNDS)
    if ours.pages != alone.pages:
        raise CheckError(f"{ours.pages} were asked for, not {alone.pages}")
    what = "Catch-up of 1,000 missed messages"
    anchor = f"its {sum(ours.pages.values())} requests alone, 200 ms each"
    held, floor = (statistics.median(each.longest) * 1000 for each in (ours, alone))
    return [
        Row.at_most(what, anchor, result.ratio("ours", "alone"), 1.2),
        Row.at_most(f"{what}: loop held", "", held, 10, "ms"),
        Row.note("Its requests alone: loop held", "", f"{floor:.2f} ms"),
    ]
