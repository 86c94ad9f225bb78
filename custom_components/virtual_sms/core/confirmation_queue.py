"""Answer unsigned callbacks: a bell that anyone may ring.

Nothing a bell says is believed: what it names is looked up at the provider. A
flood of bells must not become a flood of questions, so they are asked one at a
time from a small budget; beyond it, a single reading of the provider's history
answers all of them.
"""

import asyncio
import logging
import time
from typing import Protocol

from ..adapters.errors import InvalidResponseError, SmsError
from ..adapters.models import Event, InboundMessage
from ..store.database import DatabaseClosedError
from .line import Dependencies
from .token_bucket import TokenBucket

_LOGGER = logging.getLogger(__name__)

BUDGET = 20
"""Questions that may be asked in a burst."""
REFILL = 3.0
"""Seconds until another question may be asked."""


class Household(Protocol):
    """Those who answer the bell."""

    async def concerns(self, event: Event) -> bool:
        """Say, without asking the provider, whether a bell may bring news."""

    async def look_up(self, event: Event) -> bool:
        """Ask the provider about a bell; False when it knows nothing of it."""

    async def catch_up(self) -> None:
        """Read the provider's history, which answers every bell."""

    def ask_later(self) -> None:
        """See to it that `catch_up` is tried again."""


class ConfirmationQueue:
    """Turn any number of rings into a bounded number of questions."""

    def __init__(self, household: Household, dependencies: Dependencies) -> None:
        """Take who answers, and where tasks come from."""
        self._household = household
        self._spawn = dependencies.spawn
        self._budget = TokenBucket(BUDGET, REFILL, time.monotonic)
        self._waiting: dict[tuple[str, str], Event] = {}
        self._overflows = False
        self._is_answering = False

    def ring(self, event: Event) -> None:
        """Have an event looked up soon."""
        if len(self._waiting) < BUDGET:
            self._waiting[_key(event)] = event
        else:
            self._overflows = True
        if not self._is_answering:
            self._is_answering = True
            self._spawn(self._answer(), "confirmation_queue")

    async def _answer(self) -> None:
        try:
            while self._waiting or self._overflows:
                await self._answer_next()
        except SmsError as err:
            _LOGGER.debug("A callback cannot be looked up now: %s", err.code)
            self._household.ask_later()
        except DatabaseClosedError:
            _LOGGER.debug("The line closes: what rang is read when it opens again")
        except Exception:
            _LOGGER.exception("A callback could not be looked up")
            self._household.ask_later()
        finally:
            self._is_answering = False

    async def _answer_next(self) -> None:
        if self._overflows:
            await self._answer_all()
            return
        event = self._waiting.pop(next(iter(self._waiting)))
        if not await self._household.concerns(event):
            return
        # A provider may ring before its own record shows the message.
        self._overflows = not (self._budget.take() and await self._look_up(event))

    async def _look_up(self, event: Event) -> bool:
        """Ask about a bell; one that cannot be read keeps no other waiting."""
        try:
            return await self._household.look_up(event)
        except InvalidResponseError:
            return False

    async def _answer_all(self) -> None:
        await asyncio.sleep(REFILL)
        self._waiting.clear()
        self._overflows = False
        await self._household.catch_up()


def _key(event: Event) -> tuple[str, str]:
    if isinstance(event, InboundMessage):
        return "inbound", event.message_id
    return "receipt", event.provider_id
