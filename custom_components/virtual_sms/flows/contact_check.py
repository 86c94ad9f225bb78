"""Prove both ways of a contact at once: text them, and wait until they answer OK."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
import re
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations

from ..actions.send_request import SendRequest
from ..actions.sending import Failed, async_send
from ..adapters.errors import MessageRejectedError
from ..adapters.models import DeliveryStatus, RejectReason
from ..bus import EventData, async_listen
from ..const import DOMAIN
from ..entry_data import EntryData
from ..error_messages import explain, say
from ..runtime import VirtualSmsConfigEntry
from ..store.changes import Change, Received, StatusChanged

CHECK_TIMEOUT: Final = 300.0
"""Seconds until nobody is expected to answer any more."""
_OK: Final = re.compile(r"\W*ok\b", re.IGNORECASE)
_LOST: Final = (
    DeliveryStatus.UNDELIVERED,
    DeliveryStatus.FAILED,
    DeliveryStatus.CANCELED,
)


class CheckFailedError(Exception):
    """The text did not reach anybody; the text of this says why."""


@dataclass(kw_only=True)
class ContactCheck:
    """A text to the first of a contact's numbers, which any of them may answer."""

    hass: HomeAssistant
    entry: VirtualSmsConfigEntry
    numbers: Sequence[str] = field(repr=False)
    language: str
    _message_id: str | None = None
    _early: list[StatusChanged] = field(default_factory=list, repr=False)

    async def async_run(self) -> bool:
        """Say whether they answered in time.

        Raises CheckFailedError as soon as it is known that the text got nowhere.
        """
        self._outcome: asyncio.Future[str | None] = self.hass.loop.create_future()
        stop = async_listen(self.hass, None, self._async_handle)
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await self._async_send()
                problem = await self._outcome
        except TimeoutError:
            return False
        except HomeAssistantError as err:
            raise CheckFailedError(say(self.hass, err)) from err
        finally:
            stop()
        if problem is not None:
            raise CheckFailedError(problem)
        return True

    async def _async_send(self) -> None:
        texts = await async_get_translations(
            self.hass, self.language, "common", [DOMAIN]
        )
        text = texts[f"component.{DOMAIN}.common.contact_check"]
        request = SendRequest(
            recipients=[self.numbers[0]], text=text.format(line=self.entry.title)
        )
        report = await async_send(self.hass, self.entry.entry_id, request)
        ((_, result),) = report.results
        if isinstance(result, Failed):
            raise CheckFailedError(result.sentence)
        self._message_id = result.message.message_id
        for change in self._early:
            self._follow(change)

    @callback
    def _async_handle(
        self, entry: VirtualSmsConfigEntry, change: Change, data: EventData
    ) -> None:
        match change:
            case Received(message=message):
                if message.sender in self.numbers and _OK.match(message.text):
                    self._conclude(None)
            case StatusChanged() if self._message_id is None:
                # It may move before its sender knows which message it is.
                self._early.append(change)
            case StatusChanged():
                self._follow(change)

    def _follow(self, change: StatusChanged) -> None:
        if change.message_id == self._message_id and change.status in _LOST:
            reason = change.reason or RejectReason.OTHER
            error = MessageRejectedError(str(change.status), reason=reason)
            provider = EntryData.of(self.entry).provider
            self._conclude(explain(self.hass, provider, error))

    def _conclude(self, problem: str | None) -> None:
        if not self._outcome.done():
            self._outcome.set_result(problem)
