"""Inspect a number: ask its provider a few times a day what it never says by itself."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..adapters.errors import (
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    SmsError,
)
from ..adapters.models import Capability
from ..callbacks.reachability_check import async_check_callbacks
from ..issues import Problem, async_set_issue
from ..people.trust import async_trust
from ..runtime import VirtualSmsConfigEntry
from ..store.database import CANNOT_WRITE

_LOGGER = logging.getLogger(__name__)

EXPIRES_SOON = timedelta(days=14)
type Question = Callable[[], Awaitable[None]]
_NEVER = datetime.max.replace(tzinfo=UTC)


class Inspection:
    """The questions about one number: its key, its listing, its callback URL, its opt-outs."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: VirtualSmsConfigEntry,
        on_error: Callable[[SmsError], None],
    ) -> None:
        """Take the number, and who learns from an error."""
        self._hass = hass
        self._entry = entry
        self._on_error = on_error
        runtime = entry.runtime_data
        self._gateway = runtime.gateway
        self._line = runtime.gateway.line
        self._coordinator = runtime.coordinator
        self._registrar = runtime.registrar
        self._is_unanswered = False

    @callback
    def async_take_unanswered(self) -> bool:
        """Say once whether a question is to be asked again, for want of an answer."""
        is_unanswered, self._is_unanswered = self._is_unanswered, False
        return is_unanswered

    async def async_inspect(self) -> None:
        """Ask all questions."""
        await self._async_ask(self._registrar.async_inspect, *self._about_line)

    async def async_inspect_line(self) -> None:
        """Ask all but about the callback URL, which has just been claimed."""
        await self._async_ask(*self._about_line)

    async def async_find_missing_callback(self) -> None:
        """Find out why a message came without its callback, beginning at the provider."""
        try:
            await self._registrar.async_inspect()
        except SmsError as err:
            _LOGGER.debug("The callback URL cannot be looked at now: %s", err.code)
            return
        if not self._registrar.health.async_has_problem():
            await async_check_callbacks(self._hass, self._entry, self._registrar)

    @property
    def _about_line(self) -> Sequence[Question]:
        return self._async_ask_key, self._async_ask_number, self._async_ask_opt_outs

    async def _async_ask(self, *questions: Question) -> None:
        """Ask some questions; nothing is concluded from silence."""
        self._is_unanswered = False
        for ask in questions:
            try:
                await ask()
            except SmsError as err:
                _LOGGER.debug("The number cannot be looked at now: %s", err.code)
                self._is_unanswered |= isinstance(err, ProviderUnavailableError)
                self._on_error(err)

    async def _async_ask_key(self) -> None:
        if Capability.AUTHORIZATION not in self._line.adapter.capabilities:
            return
        expires_at = (await self._line.adapter.authorization_state()).expires_at
        at = expires_at or _NEVER
        is_soon = at < self._line.provider_time(dt_util.utcnow()) + EXPIRES_SOON
        date = dt_util.as_local(at).date().isoformat() if is_soon else ""
        self._async_set(Problem.CREDENTIALS_EXPIRING, is_there=is_soon, date=date)

    async def _async_ask_number(self) -> None:
        """See that the number is still there: it is listed as long as it can text."""
        number = self._line.number
        try:
            listed = await self._line.adapter.list_numbers()
        except MissingRightsError:
            return
        lines = {(each.account, each.number) for each in listed}
        if (number.account, number.number) in lines:
            self._async_set(Problem.NUMBER_GONE, is_there=False)
        # An account that does not answer is left out of the list, with its numbers.
        elif any(account == number.account for account, _ in lines) or (
            await self._async_is_unknown()
        ):
            self._async_set(Problem.NUMBER_GONE, is_there=True)

    async def _async_ask_opt_outs(self) -> None:
        """Learn who has told the provider that they want no more messages."""
        line, hass = self._line, self._hass
        if Capability.OPT_OUTS not in line.adapter.capabilities:
            return
        listed = await line.adapter.list_opted_out(line.number)
        gateway = self._gateway
        try:
            if await gateway.store.consent.note_listed(listed, dt_util.utcnow()):
                await async_trust(hass).async_follow_consent(self._entry, gateway)
        except CANNOT_WRITE as err:
            _LOGGER.debug("Consents cannot be written now: %s", type(err).__name__)

    async def _async_is_unknown(self) -> bool:
        """Say whether the provider says itself that it knows no such number."""
        error = self._coordinator.last_exception
        if error is not None and isinstance(error.__cause__, NotFoundError):
            return True
        try:
            await self._line.adapter.get_callbacks(self._line.number)
        except NotFoundError:
            return True
        return False

    @callback
    def _async_set(
        self, problem: Problem, *, is_there: bool, **placeholders: str
    ) -> None:
        async_set_issue(
            self._hass, self._entry, problem, is_there=is_there, **placeholders
        )
