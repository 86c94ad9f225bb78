"""What a line may not send, decided in memory before it leaves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..adapters.call_models import OutboundCall
from ..adapters.models import OutboundMessage
from .consent import ConsentTable
from .usage import Allowance, Limit, LimitReached, Usage, Use


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The recipient wants no more messages."""


type Refusal = LimitReached | OptedOut


@dataclass(frozen=True, slots=True)
class Decision:
    """Which messages or calls are refused, and what the others use, by their ids."""

    refusals: Mapping[str, Refusal]
    uses: Mapping[str, Use]


class Rules:
    """Decide what may be sent now, and count it.

    What is decided is decided for all that asks later, also while it is being written.
    """

    def __init__(self, usage: Usage, consent: ConsentTable) -> None:
        """Take what was used of the limits, and who wants no more messages."""
        self._usage = usage
        self._consent = consent

    def take(
        self,
        items: Sequence[OutboundMessage | OutboundCall],
        allowance: Allowance | None,
        now: datetime,
    ) -> Decision:
        """Decide about messages or calls, and count those that are not refused.

        Without an allowance no limit keeps any back.
        """
        refusals: dict[str, Refusal] = {}
        uses: dict[str, Use] = {}
        for item in items:
            item_id = (
                item.call_id if isinstance(item, OutboundCall) else item.message_id
            )
            use = Use.of(item, allowance)
            refusal = self._find(use, allowance, now)
            if refusal is None:
                uses[item_id] = use
            else:
                refusals[item_id] = refusal
        return Decision(refusals, uses)

    def _find(
        self, use: Use, allowance: Allowance | None, now: datetime
    ) -> Refusal | None:
        if use.recipient in self._consent.stopped:
            return OptedOut()
        return self._usage.take(use, allowance, now)

    def give_back(self, uses: Iterable[Use]) -> None:
        """Count no more what surely does not leave."""
        for each in uses:
            self._usage.give_back(each)

    def foresee(
        self,
        items: Sequence[OutboundMessage],
        allowance: Allowance | None,
        now: datetime,
    ) -> Mapping[str, Refusal]:
        """Return which messages would be refused, and count none."""
        decision = self.take(items, allowance, now)
        self.give_back(decision.uses.values())
        return decision.refusals


def show_ends(refusals: Mapping[str, Refusal], offset: timedelta) -> dict[str, Refusal]:
    """Write the ends of sliding windows as people see the time."""
    return {key: _show_end(refusal, offset) for key, refusal in refusals.items()}


def _show_end(refusal: Refusal, offset: timedelta) -> Refusal:
    match refusal:
        case LimitReached(Limit.HOUR | Limit.DAY | Limit.REPEATS, datetime() as until):
            return LimitReached(refusal.limit, until + offset)
    return refusal
