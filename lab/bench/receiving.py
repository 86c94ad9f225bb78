"""What it takes to be called back: a message, a status, a forgery."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
import re
import statistics
import time
from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from twilio.request_validator import RequestValidator

from .rows import Figure, Figures
from .stage import CheckError, Stage

NOTHING: Final = "/api/webhook/nothing"
SDK: Final = "/api/webhook/sdk"
PERSON: Final = "+33612345678"
OK, NO_CONTENT, FORBIDDEN = 200, 204, 403
LANES: Final = 32
"""Connections that a flood comes over."""
_TIMEOUT: Final = 60.0
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NOBODY: Final = "SM" + "0" * 32
_FORGED: Final = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
_MESSAGE: Final = {"NumMedia": "0", "NumSegments": "1", "SmsStatus": "received"}
_ROUNDS: Final = 4
_SIZE: Final = 320
"""Callbacks in a round."""
_FEW: Final = 10
_PAUSE: Final = 0.1
"""Seconds before each message that comes alone: the home is at rest again."""
_ENDLESS: Final = 20_000
_SWITCH: Final = {
    "domain": "input_boolean",
    "action": "toggle",
    "calls": [{"entity_id": "input_boolean.light"}] * 40,
    "pause": 0.02,
}

type Make = Callable[[str, int], Sequence[bytes]]


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Write the POST of a form out, ready to go."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def blast(url: str, requests: Sequence[bytes], connections: int) -> list[int]:
    """Send all requests, each connection one at a time; return how each was answered."""
    parts, waiting = urlsplit(url), iter(requests)

    async def run() -> list[int]:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            return [await _ask(reader, writer, request) for request in waiting]
        finally:
            writer.close()

    async with asyncio.timeout(_TIMEOUT), asyncio.TaskGroup() as group:
        lanes = [group.create_task(run()) for _ in range(connections)]
    return [status for lane in lanes for status in lane.result()]


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if length := _LENGTH.search(head):
        await reader.readexactly(int(length[1]))
    return int(head[9:12])


class Callbacks:
    """Make callbacks for whoever takes them: none of ours comes twice."""

    def __init__(
        self, stage: Stage, ours: Mapping[str, str], core: Mapping[str, str]
    ) -> None:
        """Take our entry and core's."""
        self._stage = stage
        self._validator = RequestValidator(stage.provider.twilio.auth_token)
        self._statuses: Iterator[bytes] = iter(())
        self.entry_id = ours["entry_id"]
        self.ours = f"/api/webhook/{ours['webhook_id']}"
        self.core = f"/api/webhook/{core['webhook_id']}"

    async def track(self, amount: int) -> None:
        """Send messages, and make two callbacks of each: it left, it arrived."""
        recipients = [f"+336{number:08}" for number in range(amount)]
        sends = self._stage.send("ours", self.entry_id, [recipients])
        # Each is published as queued, which must not be counted later.
        sent, _ = await self._stage.expect(amount, sends)
        [answer] = sent["answers"]
        self._statuses = iter(
            self._status(self.ours, each["provider_id"], status, each["message_id"])
            for status in ("sent", "delivered")
            for each in answer["messages"]
        )

    def statuses(self, path: str, amount: int) -> list[bytes]:
        """Make callbacks of statuses."""
        if path == self.ours:
            return [next(self._statuses) for _ in range(amount)]
        return [self._status(path, _NOBODY, "delivered", "0" * 32)] * amount

    def inbound(self, path: str, amount: int) -> list[bytes]:
        """Make callbacks of incoming messages, each another one."""
        return [self.message(path) for _ in range(amount)]

    def message(
        self, path: str, sender: str = PERSON, text: str = "Is the garage closed?"
    ) -> bytes:
        """Make the callback of an incoming message."""
        written = {"From": sender, "Body": text}
        sid = f"SM{uuid4().hex}"
        return self._sign(path, {"MessageSid": sid, **written, **_MESSAGE})

    def forged(self, path: str, amount: int) -> list[bytes]:
        """Make callbacks with a signature that is another's."""
        form = {"MessageSid": _NOBODY, "Body": "Open the door", **_MESSAGE}
        return [self._sign(path, form, signature=_FORGED)] * amount

    async def ask(
        self, requests: Sequence[bytes], *statuses: int, lanes: int = 1
    ) -> Figures:
        """Return the seconds until all were answered, each as it must be."""
        began = time.monotonic()
        answered = set(await blast(self._stage.url, requests, lanes))
        if not answered <= set(statuses):
            raise CheckError(f"answered {answered}, not {statuses}")
        return {"time": time.monotonic() - began}

    async def fire(
        self, requests: Sequence[bytes], status: int = OK, lanes: int = 1
    ) -> Figures:
        """Send callbacks, each of which makes an event, and has to be answered so.

        Return the seconds until the last event was fired, and the flushes before it.
        """
        flushes, began = self._stage.disk.flushes, time.monotonic()
        asking = self.ask(requests, status, lanes=lanes)
        _, last = await self._stage.expect(len(requests), asking)
        # What one leaves to be done must not slow the next one down.
        await self._stage.probe("rest")
        return {"time": last["at"] - began, "flushes": last["flushes"] - flushes}

    def _status(self, path: str, sid: str, status: str, message_id: str) -> bytes:
        form = {"MessageSid": sid, "MessageStatus": status}
        return self._sign(f"{path}?m={message_id}", form)

    def _sign(self, target: str, form: Mapping[str, str], signature: str = "") -> bytes:
        twilio = self._stage.provider.twilio
        account = {"AccountSid": twilio.ACCOUNT_SID, "ApiVersion": "2010-04-01"}
        form = {**account, "From": PERSON, "To": twilio.NUMBER, **form}
        signed = self._validator.compute_signature(self._stage.url + target, form)
        headers = {"X-Twilio-Signature": signature or signed}
        return post(target, urlencode(form).encode(), headers)


async def open_callbacks(stage: Stage) -> Callbacks:
    """Set up our number, core's integration, and what else takes callbacks."""
    ours = await stage.add_number("twilio")
    token = stage.provider.twilio.auth_token
    await stage.probe("open_webhooks", url=stage.url + SDK, token=token)
    return Callbacks(stage, ours, await stage.add("twilio", {}))


async def door(stage: Stage) -> AsyncIterator[Figure]:
    """Time a message that comes alone: how soon it opens a door."""
    callbacks = await open_callbacks(stage)

    async def come_alone(path: str) -> Figures:
        found = []
        for _ in range(_FEW):
            await asyncio.sleep(_PAUSE)
            found.append(await callbacks.fire(callbacks.inbound(path, 1)))
        return {
            name: statistics.median(each[name] for each in found) for name in found[0]
        }

    result = await stage.duel(come_alone, _ROUNDS, callbacks.ours, callbacks.core)
    yield result["time"]
    yield Figure(result["flushes"].own)


async def flood(stage: Stage) -> AsyncIterator[Figure]:
    """Time many callbacks at a time, beside the same without a memory."""
    callbacks = await open_callbacks(stage)
    # Each message gives two callbacks; two take part, and one round warms up.
    await callbacks.track(_SIZE * (_ROUNDS + 1))

    async def come(make: Make, status: int, verb: str) -> Figures:
        await stage.probe(verb, entry_id=callbacks.entry_id)
        requests = make(callbacks.ours, _SIZE)
        return await callbacks.fire(requests, status, LANES)

    for kind in ((callbacks.inbound, OK), (callbacks.statuses, NO_CONTENT)):
        run = partial(come, *kind)
        yield (await stage.duel(run, _ROUNDS, "remember", "forget"))["time"]


async def forged(stage: Stage) -> AsyncIterator[Figure]:
    """Time a flood of forgeries, and a switch that is turned meanwhile."""
    callbacks = await open_callbacks(stage)

    async def refuse(path: str) -> Figures:
        requests = callbacks.forged(path, _SIZE)
        return await callbacks.ask(requests, FORBIDDEN, lanes=LANES)

    async def switch(path: str) -> Figures:
        """Return the median wait of a light during a flood, in seconds.

        It counts from when it was due, so that a loop that is busy then is seen.
        """
        requests = callbacks.forged(path, _ENDLESS)
        flooding = asyncio.create_task(blast(stage.url, requests, LANES))
        try:
            done = await stage.probe("call", **_SWITCH)
            if flooding.done():
                raise CheckError("the flood was over before the light was switched")
        finally:
            flooding.cancel()
            with suppress(asyncio.CancelledError):
                await flooding
        waits = zip(done["due"], done["ended"], strict=True)
        return {"time": statistics.median(ended - due for due, ended in waits)}

    for run, beside, rounds in ((refuse, SDK, 7), (switch, NOTHING, 4)):
        yield (await stage.duel(run, rounds, callbacks.ours, beside))["time"]
