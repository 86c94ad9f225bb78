"""Tell a flood of forgeries from a home that does not know its own address.

A stranger's callback is refused and that is all. When the provider's own callbacks
fail the check again and again, the URL they are signed for is not the one that was
registered, and only a person can find out why.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
import logging

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later

from ..adapters.errors import CallbackRejectedError, CallbackUnreadableError
from ..const import DOMAIN
from ..core.account import Account, LineAwayError, NoSuchLineError

_LOGGER = logging.getLogger(__name__)

PLAUSIBLE_LIMIT = 3
"""Refusals that looked real, with none accepted between, before a person is told."""

QUESTION_PAUSE = 10.0
"""Seconds between two questions to the provider about what we could not take."""


class Refusal(StrEnum):
    """Why a callback was refused."""

    FORGED = "forged"
    OTHER_LINE = "other_line"
    OURS = "ours"
    TOO_LONG = "too_long"
    TOO_SLOW = "too_slow"
    UNREADABLE = "unreadable"
    UNSIGNED = "unsigned"


STATUSES: Mapping[Refusal, HTTPStatus] = {
    Refusal.FORGED: HTTPStatus.FORBIDDEN,
    Refusal.OTHER_LINE: HTTPStatus.BAD_REQUEST,
    Refusal.OURS: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.TOO_LONG: HTTPStatus.BAD_REQUEST,
    Refusal.TOO_SLOW: HTTPStatus.BAD_REQUEST,
    Refusal.UNREADABLE: HTTPStatus.BAD_REQUEST,
    Refusal.UNSIGNED: HTTPStatus.FORBIDDEN,
}


class UnsignedError(CallbackRejectedError):
    """A callback has no signature where every authentic one has."""


class CutOffError(CallbackUnreadableError):
    """A callback was not read to its end: `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the reason."""
        super().__init__(refusal)
        self.refusal = refusal


class BusyError(Exception):
    """So many callbacks are being taken in that one had no turn in time."""


# The first that applies decides: some descend from others.
_KINDS: Mapping[type[Exception], Refusal] = {
    UnsignedError: Refusal.UNSIGNED,
    CallbackRejectedError: Refusal.FORGED,
    NoSuchLineError: Refusal.OTHER_LINE,
    CallbackUnreadableError: Refusal.UNREADABLE,
}


def classify(err: Exception) -> Refusal:
    """Say why a callback was refused; what nobody foresaw is our fault."""
    if isinstance(err, CutOffError):
        return err.refusal
    return next(
        (refusal for kind, refusal in _KINDS.items() if isinstance(err, kind)),
        Refusal.OURS,
    )


class RefusalLog:
    """Logs the refusals a person can do something about: each kind once."""

    def __init__(self) -> None:
        """Begin with a clean sheet."""
        self._numbers: set[str] = set()
        self._troubles: set[type[Exception]] = set()
        self._lost = 0

    def note(self, refusal: Refusal, err: Exception) -> None:
        """Log a refusal, unless one of its kind was logged before."""
        if isinstance(err, NoSuchLineError):
            self._note_number(err.number)
        elif refusal is Refusal.OURS:
            self._note_trouble(err)

    def end(self) -> None:
        """Say that callbacks are taken in again, if they were not."""
        if self._lost:
            _LOGGER.warning(
                "Callbacks are taken in again; %d were not, and the provider is asked"
                " for what they brought",
                self._lost,
            )
        self._lost = 0
        self._troubles.clear()

    def _note_number(self, number: str) -> None:
        if number not in self._numbers:
            self._numbers.add(number)
            _LOGGER.warning(
                "A message came for the number that ends in %s, which is not set up"
                " here; more of them are refused silently",
                number[-2:],
            )

    def _note_trouble(self, err: Exception) -> None:
        if isinstance(err, LineAwayError):
            return
        self._lost += 1
        if type(err) in self._troubles:
            return
        self._troubles.add(type(err))
        if isinstance(err, BusyError):
            _LOGGER.warning("More callbacks came at a time than can be taken in")
        else:
            _LOGGER.error("A callback could not be taken in", exc_info=err)


class LateQuestion:
    """Has the provider asked for what a callback brought that we could not take.

    At once, and then not again before a while has passed.
    """

    def __init__(self, hass: HomeAssistant, account: Account) -> None:
        """Take whose provider to ask."""
        self._hass = hass
        self._account = account
        self._is_wanted = False
        self._cancel: CALLBACK_TYPE | None = None

    @callback
    def async_ask(self) -> None:
        """Ask now, or as soon as it is time again."""
        if self._cancel:
            self._is_wanted = True
            return
        self._cancel = async_call_later(
            self._hass,
            QUESTION_PAUSE,
            HassJob(self._end_pause, cancel_on_shutdown=True),
        )
        try:
            self._account.catch_up_soon()
        except Exception as err:  # noqa: BLE001  # an answer is due all the same
            _LOGGER.warning("The provider cannot be asked: %s", type(err).__name__)

    @callback
    def async_cancel(self) -> None:
        """Ask no more."""
        if self._cancel:
            self._cancel()
        self._is_wanted = False

    @callback
    def _end_pause(self, _: datetime) -> None:
        self._cancel = None
        if self._is_wanted:
            self._is_wanted = False
            self.async_ask()


class RefusalWatch:
    """Watch the refusals of one number."""

    def __init__(
        self,
        hass: HomeAssistant,
        issue_id: str,
        placeholders: dict[str, str],
        on_accepted: Callable[[], None],
    ) -> None:
        """Take the repair issue to raise, what its text needs, and whom to reassure."""
        self._hass = hass
        self._issue_id = issue_id
        self._placeholders = placeholders
        self._on_accepted = on_accepted
        self._was_refused = False
        self._plausible = 0

    @callback
    def async_refused(self, err: CallbackRejectedError) -> None:
        """Note a refusal. It is logged once: a flood is not worth a flood of lines."""
        if not self._was_refused:
            self._was_refused = True
            _LOGGER.warning(
                "A callback that does not come from %s was refused; more of them are"
                " refused silently",
                self._placeholders["provider"],
            )
        self._plausible += err.plausible
        if err.plausible and self._plausible == PLAUSIBLE_LIMIT:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._issue_id,
                is_fixable=False,
                severity=ir.IssueSeverity.ERROR,
                translation_key="callbacks_rejected",
                translation_placeholders=self._placeholders,
            )

    @callback
    def async_accepted(self) -> None:
        """Note that the provider's callbacks pass the check."""
        self._on_accepted()
        self._was_refused = False
        if self._plausible:
            self._plausible = 0
            self.async_clear()

    @callback
    def async_clear(self) -> None:
        """Take the repair issue back."""
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)


class Refusals:
    """Sees to it that each refusal is counted, logged, watched and made good."""

    def __init__(
        self, watch: RefusalWatch, question: LateQuestion, counts: Counter[str]
    ) -> None:
        """Take who watches, who asks the provider, and where to count."""
        self._watch = watch
        self._question = question
        self._counts = counts
        self._log = RefusalLog()

    @callback
    def async_note(self, err: Exception) -> Refusal:
        """Note why a callback was refused, and return it."""
        refusal = classify(err)
        self._counts[refusal] += 1
        self._log.note(refusal, err)
        if isinstance(err, CallbackRejectedError):
            self._watch.async_refused(err)
        if refusal is Refusal.OURS:
            self._question.async_ask()
        return refusal

    @callback
    def async_end(self) -> None:
        """Note that a callback was taken in."""
        self._log.end()
        self._watch.async_accepted()
