"""Calls through Twilio: what is asked, and what is spoken.

Facts are from twilio.com/docs, named by the title of the page.
"""

from abc import ABC
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, override

from ..errors import MessageRejectedError, UnsupportedFeatureError
from ..models import Acknowledgement, CallbackUrls
from . import call_records, records
from .client import TwilioClient
from .lists import Unreadable, reach_back
from .sdk import require_sid
from .twiml import hang_up, listen, render, speak

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from xml.etree import ElementTree as ET

    from ..call_models import (
        CallReply,
        CallUpdate,
        OutboundCall,
        PlacedCall,
        RecordedCall,
    )
    from ..models import PhoneNumber

LONGEST_TWIML: Final = 4000
_TOO_LONG: Final = "32018"
RING_TIMEOUT: Final = 25
"""Seconds until nobody has answered: most voicemails wait for longer."""
LONGEST_CALL: Final = 600
RECENT_CALLS: Final = 50
_STATUS_EVENTS: Final = ("initiated", "ringing", "answered", "completed")


class TwilioCalls(TwilioClient, ABC):
    """Call through Twilio, and answer who calls."""

    @override
    def check_call(self, call: OutboundCall, callback_url: str | None) -> None:
        if call.key is not None and callback_url is None:
            raise UnsupportedFeatureError("no URL to tell of a key")
        if not call.speech.text.strip():
            raise MessageRejectedError("nothing to say")
        try:
            twiml = _script(call, callback_url)
            twiml.encode()
        except UnicodeEncodeError as err:
            raise MessageRejectedError("half a character") from err
        if len(twiml) > LONGEST_TWIML:
            raise MessageRejectedError("not asked", provider_code=_TOO_LONG)

    @override
    async def _make_call(
        self, number: PhoneNumber, call: OutboundCall, callback_url: str | None
    ) -> PlacedCall:
        callback = callback_url and call_records.with_call_id(
            callback_url, call.call_id
        )
        tracking = {
            "status_callback": callback,
            "status_callback_event": list(_STATUS_EVENTS),
        }
        return await self._create(
            call_records.read_placed,
            lambda sdk: sdk.calls,
            to=call.recipient,
            from_=number.number,
            twiml=_script(call, callback_url),
            timeout=RING_TIMEOUT,
            time_limit=LONGEST_CALL,
            **(tracking if callback else {}),
        )

    @override
    async def fetch_call(self, number: PhoneNumber, provider_id: str) -> CallUpdate:
        require_sid(provider_id)
        return await self._ask(
            call_records.read_call, lambda sdk: sdk.rest.calls(provider_id), "fetch"
        )

    @override
    async def cancel_call(self, number: PhoneNumber, provider_id: str) -> CallUpdate:
        require_sid(provider_id)
        # `completed` would also cut off somebody who listens ("Call resource").
        return await self._ask(
            call_records.read_call,
            lambda sdk: sdk.rest.calls(provider_id),
            "update",
            status="canceled",
        )

    @override
    async def find_calls(
        self, number: PhoneNumber, recipient: str, since: datetime
    ) -> list[PlacedCall]:
        start = records.to_the_second(since)
        found = await self._list_calls(
            call_records.read_candidate, start, to=recipient, from_=number.number
        )
        return call_records.pick_candidates(found, start)

    @override
    async def fetch_incoming_calls(
        self, number: PhoneNumber, since: datetime
    ) -> list[RecordedCall]:
        start = records.to_the_second(since)
        found = await self._list_calls(
            call_records.read_recorded, start, to=number.number
        )
        good = [each for each in found if not isinstance(each, Unreadable)]
        return [call for at, call in reversed(good) if call and at >= start]

    async def _list_calls[T](
        self,
        read: Callable[[Any], tuple[datetime, T | None]],
        start: datetime,
        **filters: str,
    ) -> list[tuple[datetime, T | None] | Unreadable]:
        """List what is read of the calls since then, and of older ones, newest first."""
        # Without a StartTime, for what is queued has none yet: the newest come first.
        return await self._list(
            read,
            lambda sdk: sdk.rest.calls,
            goes_on=partial(reach_back, start),
            page_size=RECENT_CALLS,
            **filters,
        )

    @override
    def answer_call(
        self, reply: CallReply | None, callback_url: str | None
    ) -> Acknowledgement:
        if reply is None:
            return Acknowledgement(status=204)
        twiml = render(_answer(reply, callback_url))
        return Acknowledgement(body=twiml, content_type="text/xml")

    @override
    async def get_voice_callbacks(self, number: PhoneNumber) -> CallbackUrls:
        _, urls = await self._find_number(number, call_records.read_voice_callbacks)
        return urls

    @override
    async def set_voice_callbacks(
        self, number: PhoneNumber, urls: CallbackUrls
    ) -> None:
        sid, _ = await self._find_number(number, call_records.read_voice_callbacks)
        await self._update(
            records.read_sid,
            lambda sdk: sdk.rest.incoming_phone_numbers(sid),
            voice_url=urls.inbound or "",
            voice_method="POST",
        )


def _answer(reply: CallReply, callback_url: str | None) -> ET.Element:
    if reply.speech is None:
        return hang_up(answers=not reply.rejected)
    if reply.call_id is None or callback_url is None:
        return speak(reply.speech)
    action = call_records.with_call_id(callback_url, reply.call_id)
    return listen(reply.speech, action)


def _script(call: OutboundCall, callback_url: str | None) -> str:
    """Write what the person hears: the text, and what to press."""
    if call.key is None or callback_url is None:
        return render(speak(call.speech))
    text = f"{call.speech.text} {call.key.prompt}"
    action = call_records.with_call_id(callback_url, call.call_id)
    return render(listen(replace(call.speech, text=text), action))
