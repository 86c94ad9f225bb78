"""Play the phones at the other end: they ring, are answered, and call the home.

People who behave specially when they are called; everybody else's phone rings until
somebody uses it:

=================  ============================================================
+15005553000       answers, and presses nothing, as a voicemail does
+1500555300N       answers, and presses the key N
+15005553010       is busy
+15005553011       does not answer
+15005553012       cannot be called: the call fails
=================  ============================================================
"""

import asyncio
import re
import secrets
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from ..base import Json
from ..callbacks import Callback, CallbackRecord, Quirk
from ..world import now
from .callbacks import HEADERS, call_fields, judge, progress_fields, sign, voice_url
from .models import Call

if TYPE_CHECKING:
    from .state import TwilioState

FINAL: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
# The names of the events that a status callback can be asked for.
EVENTS: Final = {
    "initiated": "initiated",
    "ringing": "ringing",
    "in-progress": "answered",
}
ENDINGS: Final = {"busy": "busy", "silent": "no-answer", "fail": "failed"}
SPECIAL: Final = {
    "+15005553010": "busy",
    "+15005553011": "silent",
    "+15005553012": "fail",
}
PRESSES: Final = re.compile(r"\+1500555300(\d)")


class Phones:
    """All phones that are not the home's."""

    def __init__(self, state: TwilioState) -> None:
        """Keep the account whose calls they take."""
        self._state = state

    @property
    def calls(self) -> list[Call]:
        """List all calls, oldest first."""
        return list(self._state.call_log.values())

    async def run(self, call: Call, answered: asyncio.Event) -> None:
        """Carry out a call that was accepted, as far as nobody need act."""
        await answered.wait()
        for status in ("initiated", "ringing"):
            await asyncio.sleep(self._state.world.pace)
            if call.status in FINAL:
                return
            await self._move(call, status)
        await self._act(call)

    async def _act(self, call: Call) -> None:
        if call.to in SPECIAL:
            await self.use(call.id, SPECIAL[call.to])
        elif match := PRESSES.fullmatch(call.to):
            await self.use(call.id, "answer")
            if match[1] != "0":
                await self.use(call.id, "press", match[1])
            await self.use(call.id, "hang_up")

    def ring(self, caller: str, *, number: str | None = None) -> str:
        """Call the home; what it answers is carried out in the background."""
        to = number or self._state.number
        call = Call(to=to, sender=caller, inbound=True, status="ringing")
        call.statuses.append(call.status)
        self._state.call_log[call.id] = call
        self._state.world.background(self._ask_home(call))
        return call.id

    async def use(self, call_id: str, do: str, digits: str = "") -> None:
        """Do what a person does; nothing happens once the call has ended."""
        call = self._state.call_log[call_id]
        if call.status in FINAL:
            return
        match do:
            case "answer":
                await self._answer(call)
            case "press":
                await self._press(call, digits)
            case "hang_up":
                talked = call.status == "in-progress"
                await self._end(call, "completed" if talked else "busy")
            case _:
                await self._end(call, ENDINGS[do])

    def cut_off(self, call: Call, *, even_if_answered: bool) -> None:
        """End a call at the wish of the home; the callback comes afterwards."""
        talks = call.status == "in-progress"
        if talks and not even_if_answered:
            return
        self._close(call, "completed" if talks else "canceled")
        self._state.world.background(self._tell(call))

    async def repeat(self, call_id: str, **changes: str) -> CallbackRecord | None:
        """Post the present status once more, or another one, as a late callback is."""
        call = self._state.call_log[call_id]
        fields = progress_fields(self._state.ACCOUNT_SID, call) | changes
        return await self._post(call, "call", call.callback_url, fields)

    def describe(self) -> list[Json]:
        """Describe the calls for the handset."""
        return [
            {
                "id": call.id,
                "inbound": call.inbound,
                "number": call.number,
                "sender": call.sender,
                "to": call.to,
                "status": call.status,
                "heard": call.heard,
                "wants_key": bool(call.action),
                "over": call.status in FINAL,
                "created": call.created.isoformat(),
            }
            for call in self.calls
        ]

    async def _answer(self, call: Call) -> None:
        if call.status == "in-progress":
            return
        call.answered = now()
        await self._move(call, "in-progress")
        await self._perform(call, call.twiml)

    async def _press(self, call: Call, digits: str) -> None:
        if not call.action:
            return
        fields = call_fields(self._state.ACCOUNT_SID, call) | {"Digits": digits}
        action, call.action = call.action, ""
        record = await self._post(call, "voice", action, fields)
        await self._perform(call, record.body if record and record.ok else "")

    async def _ask_home(self, call: Call) -> None:
        number = self._state.numbers.get(call.to)
        if number is None or not number.voice_url or number.voice_application_sid:
            await self._end(call, "no-answer")
            return
        fields = call_fields(self._state.ACCOUNT_SID, call)
        record = await self._post(call, "voice", number.voice_url, fields)
        if record is None or not record.ok:
            await self._end(call, "failed")
            return
        if _read(record.body).find("Reject") is not None:
            await self._end(call, "busy")
            return
        call.answered, call.status = now(), "in-progress"
        call.statuses.append(call.status)
        await self._perform(call, record.body)

    async def _perform(self, call: Call, twiml: str) -> None:
        """Say what is to be said; without a key to wait for, the call is over."""
        root = _read(twiml)
        for say in root.iter("Say"):
            call.heard += [say.text or ""] * int(say.get("loop", "1"))
            call.languages.append(say.get("language", ""))
        gather = root.find("Gather")
        call.action = "" if gather is None else gather.get("action", "")
        if not call.action:
            await self._end(call, "completed")

    async def _end(self, call: Call, status: str) -> None:
        self._close(call, status)
        await self._tell(call)

    def _close(self, call: Call, status: str) -> None:
        call.ended, call.action, call.status = now(), "", status
        call.statuses.append(status)

    async def _move(self, call: Call, status: str) -> None:
        call.status = status
        call.statuses.append(status)
        await self._tell(call)

    async def _tell(self, call: Call) -> None:
        status = call.status
        if call.callback_url and EVENTS.get(status, "completed") in call.events:
            fields = progress_fields(self._state.ACCOUNT_SID, call)
            call.sequence += 1
            await self._deliver(call, fields, final=status in FINAL)

    async def _deliver(
        self, call: Call, fields: dict[str, str], *, final: bool
    ) -> None:
        """Post a status, with the bad habits that the callbacks have now."""
        callback = self._sign(call, "call", call.callback_url, fields)
        quirks = self._state.quirks
        if Quirk.SUPPRESSED in quirks:
            return
        if Quirk.REORDERED in quirks and not final:
            call.held.append(callback)
            return
        late, call.held = call.held, []
        for each in (callback, *late):
            for _ in range(1 + (Quirk.DUPLICATED in quirks)):
                await self._send(each)

    async def _post(
        self, call: Call, kind: str, url: str, fields: dict[str, str]
    ) -> CallbackRecord | None:
        return await self._send(self._sign(call, kind, url, fields))

    async def _send(self, callback: Callback) -> CallbackRecord:
        state = self._state
        return await state.world.poster.post(callback, judge, retries=state.retries)

    def _sign(
        self, call: Call, kind: str, url: str, fields: dict[str, str]
    ) -> Callback:
        state, pairs = self._state, tuple(fields.items())
        token = "not the token" if Quirk.FORGED in state.quirks else state.auth_token
        signature = sign(token, voice_url(url), pairs)
        return Callback(
            provider=state.key,
            kind=kind,
            message_id=call.id,
            method="POST",
            url=url,
            fields=pairs,
            headers=HEADERS
            | {
                "X-Twilio-Signature": signature,
                "I-Twilio-Idempotency-Token": secrets.token_hex(16),
            },
        )


def _read(twiml: str) -> ET.Element:
    """Read what is to be said; of what makes no sense, nothing is."""
    try:
        return ET.fromstring(twiml)  # noqa: S314
    except ET.ParseError:
        return ET.Element("Response")
