"""One reading of a provider's record: where it begins, and what it proves.

All times are the provider's. Its `Date` header may be wrong now and then, so what
was known before the reading and what its answers said must agree before anything
that is remembered changes.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..store.inbound import Bounds

OVERLAP = timedelta(minutes=15)
"""How far a reading of the history goes back behind what is known already."""
_LOOK_BACK = timedelta(days=30)


@dataclass(slots=True, kw_only=True)
class Reading:
    """A reading that began at `started`; `bounds` is what was remembered then."""

    bounds: Bounds
    started: datetime
    earliest: datetime = field(init=False)
    """The earliest time at which the reading may have begun."""
    latest: datetime = field(init=False)
    """The latest."""
    held: datetime | None = None
    """The oldest record that is still incomplete."""

    def __post_init__(self) -> None:
        """Know no more than when it began."""
        self.earliest = self.latest = self.started

    @property
    def horizon(self) -> datetime:
        """Return the time before which all is history: never beyond the present."""
        is_past = self.bounds.horizon <= self.latest
        return self.bounds.horizon if is_past else self.latest - OVERLAP

    @property
    def is_astray(self) -> bool:
        """Say whether more counts as read than can have been."""
        return self.bounds.progress > self.latest + OVERLAP

    @property
    def since(self) -> datetime:
        """Return from when to read: a reading that was led astray is made up for."""
        back = self.started - _LOOK_BACK
        goes_on_at = back if self.is_astray else self.bounds.progress - OVERLAP
        return max(goes_on_at, self.horizon)

    @property
    def until(self) -> datetime:
        """Return up to when the record is known once it was read to its end."""
        return min(self.earliest, self.held or self.earliest)

    @property
    def corrected(self) -> Bounds | None:
        """Return the bounds to go back to, None where they can be believed."""
        if self.is_astray:
            return Bounds(horizon=self.horizon, progress=self.until)
        if self.horizon < self.bounds.horizon:
            return Bounds(horizon=self.horizon, progress=self.bounds.progress)
        return None

    def note_time(self, now: datetime, elapsed: float) -> None:
        """Learn what time an answer says it is, some seconds after the start."""
        started = now - timedelta(seconds=elapsed)
        self.earliest = min(self.earliest, started)
        self.latest = max(self.latest, started)

    def hold(self, at: datetime | None) -> None:
        """Have the next reading come back to a record; if need be, to all of them."""
        self.held = min(self.held or self.started, at or self.bounds.progress)
