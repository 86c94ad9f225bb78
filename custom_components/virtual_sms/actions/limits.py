"""What a number may send, as its options say, and what to do when it is reached."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import OPTION_SIMPLIFY, SECTION_LIMITS
from ..core.limits import LimitReachedError, month_of
from ..entry_data import EntryData
from ..error_messages import explain
from ..issues import Problem, async_clear_issue, async_raise_issue
from ..store.usage import Allowance, Limit, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..adapters.errors import SmsError
    from ..runtime import VirtualSmsConfigEntry

LIMITED: Final = "limited"
"""The reason that a response gives for what a limit keeps back."""


def get_limits(entry: VirtualSmsConfigEntry) -> Limits:
    """Return the limits of a number; only a month has none unless one is set."""
    chosen: Mapping[str, Any] = entry.options.get(SECTION_LIMITS, {})
    defaults = Limits()
    return Limits(
        hour=chosen.get(Limit.HOUR, defaults.hour),
        day=chosen.get(Limit.DAY, defaults.day),
        month=chosen.get(Limit.MONTH, defaults.month),
        repeats=chosen.get(Limit.REPEATS, defaults.repeats),
    )


@callback
def async_get_allowance(
    entry: VirtualSmsConfigEntry, *, is_critical: bool = False
) -> Allowance:
    """Return what a number may send now; months are those of the home."""
    return Allowance(
        limits=get_limits(entry),
        month=month_of(dt_util.now()),
        is_critical=is_critical,
    )


def simplifies(entry: VirtualSmsConfigEntry, *, asked: bool | None) -> bool:
    """Say whether a text is to be simplified: as asked, else as the option says."""
    return bool(entry.options.get(OPTION_SIMPLIFY, True) if asked is None else asked)


@callback
def async_follow_limits(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    errors: Iterable[SmsError | None],
    *,
    is_critical: bool,
) -> None:
    """Show that a limit is reached, until an ordinary message finds room again."""
    errors = list(errors)
    reached = [each for each in errors if isinstance(each, LimitReachedError)]
    if reached:
        sentence = explain(hass, EntryData.of(entry).provider, reached[0])
        async_raise_issue(hass, entry, Problem.LIMIT_REACHED, sentence=sentence)
    elif None in errors and not is_critical:
        async_clear_issue(hass, entry, Problem.LIMIT_REACHED)
