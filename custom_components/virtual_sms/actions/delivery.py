"""Wait for what becomes of a message, and go on with another line where that is bad."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.json import JsonObjectType

from ..bus import EventData, async_listen, describe_cost
from ..const import DOMAIN, OPTION_FALLBACK
from ..core.outcome import Outcome
from ..core.waiting import DeliveryWaiter, WaitFor, has_ended_badly
from ..lines import async_look_again, async_look_up, async_withdraw
from ..runtime import VirtualSmsConfigEntry
from ..store.changes import Change, StatusChanged
from .addressing import Recipient, async_address
from .send_request import SendRequest
from .sending import (
    Failed,
    async_attach,
    async_explain_end,
    async_send_to,
    describe_result,
    raise_not_sent,
    require_recipient,
)

DEFAULT_TIMEOUT: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How far a message has to come, how long that may take, and who sends it else."""

    wait_for: WaitFor = WaitFor.ACCEPTED
    timeout: timedelta = DEFAULT_TIMEOUT
    fallback: Sequence[str] | None = None
    """The entries to go on with; None for what the option of each line says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A message by one line: what came of it at once, and where it stands now."""

    recipient: Recipient
    result: Outcome | Failed
    state: StatusChanged | None = None
    has_arrived: bool = False

    def describe(self) -> JsonObjectType:
        """Return what a response says of it."""
        described = describe_result(self.recipient, self.result)
        if self.state is None:
            return described
        state: JsonObjectType = {
            "provider_id": self.state.provider_id,
            "status": self.state.status.value,
        }
        if self.state.reason is not None:
            state["reason"] = self.state.reason.value
        # Some providers tell the price with the answer, others long after it.
        if self.state.cost is not None:
            state["cost"] = describe_cost(self.state.cost)
        return {**described, **state}

    def find_failure(self, hass: HomeAssistant) -> Failed | None:
        """Return why the message surely does not arrive, if that is so."""
        if isinstance(self.result, Failed) or self.state is None:
            return self.result if isinstance(self.result, Failed) else None
        if not has_ended_badly(self.state.status):
            return None
        return async_explain_end(hass, str(self.recipient.line), self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What was done for a request, recipient by recipient, attempt by attempt."""

    attempts: Sequence[Sequence[Attempt]]

    def describe(self) -> JsonObjectType:
        """Return the response: the last attempt of each, and all there were."""
        return {
            "messages": [
                {**some[-1].describe(), "attempts": [each.describe() for each in some]}
                for some in self.attempts
            ]
        }

    def raise_for_failures(self, hass: HomeAssistant, *, answered: bool) -> None:
        """Raise when nobody can get it, or someone does not and no response tells."""
        last = [some[-1] for some in self.attempts]
        refused = [each for each in last if isinstance(each.result, Failed)]
        if answered and len(refused) < len(last):
            return
        failed = [
            (each.recipient, failure)
            for each in last
            if (failure := each.find_failure(hass)) is not None
        ]
        if failed:
            raise_not_sent(failed)


async def async_deliver(
    hass: HomeAssistant, line: str | None, request: SendRequest, terms: Terms
) -> Delivery:
    """Send a request to each recipient, by one line after the other, and wait."""
    recipients = async_address(hass, line, request.recipients, request.contacts)
    require_recipient(recipients)
    request = await async_attach(hass, request)
    attempts = await asyncio.gather(
        *(_async_reach(hass, each, request, terms) for each in recipients)
    )
    return Delivery(attempts=attempts)


async def _async_reach(
    hass: HomeAssistant, recipient: Recipient, request: SendRequest, terms: Terms
) -> list[Attempt]:
    """Send by one line after the other, until a message has come far enough.

    A line that has not sent its message yet must not do so later, beside the next.
    """
    attempts: list[Attempt] = []
    lines = (recipient.line, *find_fallback(hass, recipient.line, terms))
    for line in dict.fromkeys(lines[:1] if recipient.error else lines):
        if attempts:
            attempts[-1] = await _async_look_again(hass, attempts[-1], terms)
            if attempts[-1].has_arrived:
                break
            await _async_withdraw(hass, attempts[-1])
        by_line = replace(recipient, line=line)
        attempts.append(await _async_attempt(hass, by_line, request, terms))
        if attempts[-1].has_arrived:
            break
    return attempts


async def _async_attempt(
    hass: HomeAssistant, recipient: Recipient, request: SendRequest, terms: Terms
) -> Attempt:
    """Send by a line, and wait until the message has come far enough."""
    result = await async_send_to(hass, recipient, request)
    if isinstance(result, Failed):
        return Attempt(recipient=recipient, result=result)
    line = str(recipient.line)
    waiter = DeliveryWaiter(terms.wait_for, result.message.message_id)
    waiter.handle(_read_state(result))
    await _async_wait(hass, line, waiter, terms.timeout)
    return Attempt(
        recipient=recipient,
        result=result,
        state=waiter.state,
        has_arrived=waiter.has_arrived,
    )


async def _async_wait(
    hass: HomeAssistant, line: str, waiter: DeliveryWaiter, most: timedelta
) -> None:
    """Wait for a message: it may have got on before anybody listened."""

    @callback
    def handle(_: VirtualSmsConfigEntry, change: Change, data: EventData) -> None:
        waiter.handle(change)

    stop = async_listen(hass, line, handle)
    try:
        if not waiter.is_done:
            waiter.handle(await async_look_up(hass, line, waiter.message_id))
        await waiter.wait(most.total_seconds())
    finally:
        stop()
    if not waiter.is_done:
        waiter.handle(await async_look_up(hass, line, waiter.message_id))


async def _async_look_again(
    hass: HomeAssistant, attempt: Attempt, terms: Terms
) -> Attempt:
    """Ask the provider of a message that is still under way, as far as is known here.

    Where nobody calls us, or a call was lost, it may have come far enough in time.
    """
    state = attempt.state
    if state is None or state.status.is_final:
        return attempt
    waiter = DeliveryWaiter(terms.wait_for, state.message_id)
    waiter.handle(state)
    line = str(attempt.recipient.line)
    waiter.handle(await async_look_again(hass, line, state.message_id))
    return replace(attempt, state=waiter.state, has_arrived=waiter.has_arrived)


async def _async_withdraw(hass: HomeAssistant, attempt: Attempt) -> None:
    if isinstance(attempt.result, Outcome):
        message_id = attempt.result.message.message_id
        await async_withdraw(hass, str(attempt.recipient.line), message_id)


@callback
def async_has_fallback(
    hass: HomeAssistant, line: str | None, request: SendRequest
) -> bool:
    """Say whether one of the lines that send has others to fall back on."""
    # Everybody is addressed once more when the request is sent: few homes need it here.
    entries = hass.config_entries.async_entries(DOMAIN)
    if not any(each.options.get(OPTION_FALLBACK) for each in entries):
        return False
    recipients = async_address(hass, line, request.recipients, request.contacts)
    return any(find_fallback(hass, each.line, Terms()) for each in recipients)


def find_fallback(hass: HomeAssistant, line: str | None, terms: Terms) -> Sequence[str]:
    """Return the entries that go on where a line has failed."""
    if terms.fallback is not None:
        return terms.fallback
    entry = hass.config_entries.async_get_entry(line or "")
    return entry.options.get(OPTION_FALLBACK, ()) if entry else ()


def _read_state(outcome: Outcome) -> StatusChanged:
    """Return where a message stands after its first attempt."""
    return StatusChanged(
        message_id=outcome.message.message_id,
        provider_id=outcome.provider_id,
        recipient=outcome.message.recipient,
        status=outcome.status,
        previous=None,
        at=outcome.message.created_at,
    )
