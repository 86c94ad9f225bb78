"""Callbacks as Twilio makes them, signed by its own SDK."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from twilio.request_validator import RequestValidator

from .blast import post
from .stage import Stage

NOTHING: Final = "/api/webhook/nothing"
SDK: Final = "/api/webhook/sdk"
PERSON: Final = "+33612345678"
_NOBODY: Final = "SM" + "0" * 32
_FORGED: Final = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
_MESSAGE: Final = {"NumMedia": "0", "NumSegments": "1", "SmsStatus": "received"}


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
        before = await self._stage.count_events()
        recipients = [f"+336{number:08}" for number in range(amount)]
        data = {"entry_id": self.entry_id, "way": "ours", "calls": [recipients]}
        [answer] = (await self._stage.probe("send", **data))["answers"]
        # Each is published as queued, which must not be counted later.
        await self._stage.wait_for_events(before + amount)
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
    """Set up our number, core's integration, and the SDK alone."""
    ours = await stage.add_number("twilio")
    token = stage.provider.twilio.auth_token
    await stage.probe("open_sdk", url=stage.url + SDK, token=token)
    return Callbacks(stage, ours, await stage.add("twilio", {}))
