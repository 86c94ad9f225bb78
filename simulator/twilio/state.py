"""Hold a Twilio account: its secrets, its money, its numbers and who opted out."""

from decimal import Decimal
import secrets
from typing import Any, Final, override

from ..base import Draft, Provider
from .models import Alert, Call, Number, TwilioMessage

STOP_WORDS: Final = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
)
START_WORDS: Final = frozenset({"START", "YES", "UNSTOP"})
REFUSED_RECIPIENTS: Final = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550005": 21608,
    "+15005550007": 21606,
    "+15005550008": 21611,
    "+15005550009": 21614,
}
# "Test Credentials", of calls.
REFUSED_CALLS: Final = {
    "+15005550001": 21217,
    "+15005550002": 21214,
    "+15005550003": 21215,
    "+15005550004": 21216,
    "+15005550005": 21219,
    "+15005550008": 10004,
}
REFUSED_SENDERS: Final = {
    "+15005550001": 21212,
    "+15005550007": 21606,
    "+15005550008": 21611,
}


class TwilioState(Provider[str, TwilioMessage]):
    """Hold the account.

    The constants are the factory settings; the attributes in lower case hold
    the present ones, so that a test can rotate a token.
    """

    key = "twilio"
    name = "Twilio"
    message_type = TwilioMessage
    refused_recipients = REFUSED_RECIPIENTS
    refused_senders = REFUSED_SENDERS

    ACCOUNT_SID: Final = "AC" + "5a" * 16
    AUTH_TOKEN: Final = "70" * 16
    API_KEY_SID: Final = "SK" + "1b" * 16
    API_KEY_SECRET: Final = "standard-key-secret"
    RESTRICTED_KEY_SID: Final = "SK" + "2c" * 16
    RESTRICTED_KEY_SECRET: Final = "restricted-key-secret"
    MESSAGING_SERVICE_SID: Final = "MG" + "3d" * 16
    NUMBER: Final = "+15005550006"
    SMS_ONLY_NUMBER: Final = "+15005550010"
    VOICE_ONLY_NUMBER: Final = "+15005550011"
    number = NUMBER

    @override
    def set_up(self) -> None:
        self.auth_token = self.AUTH_TOKEN
        self.api_key_secret = self.API_KEY_SECRET
        self.restricted_key_secret = self.RESTRICTED_KEY_SECRET
        self.status = "active"
        self.cdn = ""
        self.balance = Decimal("12.34")
        self.currency = "USD"
        self.opted_out: set[tuple[str, str]] = set()
        self.added_alerts: list[Alert] = []
        self.call_log: dict[str, Call] = {}
        self.numbers = {
            number.number: number
            for number in (
                Number(sid="PN" + "0a" * 16, number=self.NUMBER),
                Number(sid="PN" + "0b" * 16, number=self.SMS_ONLY_NUMBER, mms=False),
                Number(
                    sid="PN" + "0c" * 16,
                    number=self.VOICE_ONLY_NUMBER,
                    sms=False,
                    mms=False,
                ),
            )
        }

    @property
    @override
    def credentials(self) -> dict[str, str]:
        return {"account_sid": self.ACCOUNT_SID, "auth_token": self.auth_token}

    def add_alert(self, code: int, url: str, **details: Any) -> Alert:
        """Note by hand that a callback failed, for instance for its certificate."""
        alert = Alert(code=code, url=url, **details)
        self.added_alerts.append(alert)
        return alert

    @property
    def suspended(self) -> bool:
        """Tell whether the account answers 20005 to everything."""
        return self.status != "active"

    @suspended.setter
    def suspended(self, value: bool) -> None:
        self.status = "suspended" if value else "active"

    @override
    def new_id(self, *, media: bool) -> str:
        return ("MM" if media else "SM") + secrets.token_hex(16)

    @override
    def compose(self, message_id: str, draft: Draft) -> TwilioMessage:
        message = super().compose(message_id, draft)
        # What comes through a channel is written to whatsapp:+1500….
        message.number = message.number.rpartition(":")[2]
        message.media_sids = ["ME" + secrets.token_hex(16) for _ in draft.media]
        return message

    @override
    def obey(self, message: TwilioMessage) -> None:
        word, pair = message.text.strip().upper(), (message.number, message.sender)
        if word in STOP_WORDS:
            self.opted_out.add(pair)
        elif word in START_WORDS:
            self.opted_out.discard(pair)
