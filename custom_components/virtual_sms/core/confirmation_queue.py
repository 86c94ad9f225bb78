"""Confirm unsigned callbacks, which anyone may send.

Nothing such a callback says is believed: what it names is looked up at the provider.
A flood of callbacks must not become a flood of questions, so they are asked one at a
time, with tokens from a small bucket; beyond it, a single reading of the provider's
history answers all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable
import logging
import time

from ..adapters.errors import InvalidResponseError, SmsError
from ..adapters.models import Event, InboundMessage
from ..store.database import DatabaseClosedError
from .line import Spawn
from .token_bucket import TokenBucket

_LOGGER = logging.getLogger(__name__)

BURST = 20
"""Questions that may be asked at once."""
REFILL = 3.0
"""Seconds until another question may be asked."""

type Confirm = Callable[[Event, Callable[[], bool]], Awaitable[bool]]
"""Looks an event up if it may be new and a token is to be had; False if it is not
confirmed."""


class ConfirmationQueue:
    """Turn any number of callbacks into a bounded number of questions."""

    def __init__(
        self,
        confirm: Confirm,
        catch_up: Callable[[], Awaitable[None]],
        catch_up_soon: Callable[[], None],
        spawn: Spawn,
    ) -> None:
        """Take what asks for one event and for all of them, now or later."""
        self._confirm = confirm
        self._catch_up = catch_up
        self._catch_up_soon = catch_up_soon
        self._spawn = spawn
        self._tokens = TokenBucket(BURST, REFILL, time.monotonic)
        self._waiting: dict[tuple[str, str], Event] = {}
        self._overflows = False
        self._task: asyncio.Task[object] | None = None

    def add(self, event: Event) -> None:
        """Have an event confirmed soon."""
        if len(self._waiting) < BURST:
            self._waiting[_key(event)] = event
        else:
            self._overflows = True
        if self._task is None:
            self._task = self._spawn(self._work(), "confirmation queue")

    def stop(self) -> None:
        """Confirm nothing more: what waits is in the provider's record."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            while self._waiting or self._overflows:
                await self._confirm_next()
        except SmsError as err:
            _LOGGER.debug("A callback cannot be looked up now: %s", err.code)
            self._catch_up_soon()
        except DatabaseClosedError:
            _LOGGER.debug("The line closes: what came is read when it opens again")
        except Exception:
            _LOGGER.exception("A callback could not be looked up")
            self._catch_up_soon()
        finally:
            self._task = None

    async def _confirm_next(self) -> None:
        if self._overflows:
            await asyncio.sleep(REFILL)
            self._waiting.clear()
            self._overflows = False
            await self._catch_up()
            return
        event = self._waiting.pop(next(iter(self._waiting)))
        try:
            is_confirmed = await self._confirm(event, self._tokens.take)
        # One that cannot be read keeps no other waiting.
        except InvalidResponseError:
            is_confirmed = False
        # A provider may call before its own record shows the message.
        self._overflows = not is_confirmed


def _key(event: Event) -> tuple[str, str]:
    if isinstance(event, InboundMessage):
        return "inbound", event.message_id
    return "receipt", event.provider_id
