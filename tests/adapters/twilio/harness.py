"""What the conformance suite must know of Twilio."""

from typing import TYPE_CHECKING, ClassVar, override

from custom_components.virtual_sms.adapters.models import (
    Balance,
    DeliveryStatus,
    PhoneNumber,
    RejectReason,
)
from tests.adapters.harness import Garbage, Harness as BaseHarness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.twilio import Twilio

FORM = {"content-type": "application/x-www-form-urlencoded"}
SIGNED = FORM | {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}


class Harness(BaseHarness):
    """Twilio, as the suite sees it."""

    key = "twilio"
    send_path = r"/Messages\.json"
    sdk_modules = ("twilio",)
    recipient = "+33612345678"
    refused: ClassVar = {
        "+15005550001": RejectReason.INVALID_NUMBER,
        "+15005550002": RejectReason.UNREACHABLE,
        "+15005550003": RejectReason.OTHER,
        "+15005550004": RejectReason.OPTED_OUT,
        "+15005550005": RejectReason.OTHER,
        "+15005550007": RejectReason.OTHER,
        "+15005550009": RejectReason.LANDLINE,
    }
    failing: ClassVar = {
        "+15005551003": (DeliveryStatus.UNDELIVERED, RejectReason.UNREACHABLE),
        "+15005551004": (DeliveryStatus.UNDELIVERED, RejectReason.BLOCKED),
        "+15005551005": (DeliveryStatus.UNDELIVERED, RejectReason.INVALID_NUMBER),
        "+15005551006": (DeliveryStatus.UNDELIVERED, RejectReason.LANDLINE),
        "+15005551007": (DeliveryStatus.UNDELIVERED, RejectReason.SPAM),
        "+15005551034": (DeliveryStatus.UNDELIVERED, RejectReason.UNREGISTERED_SENDER),
        "+15005551036": (DeliveryStatus.FAILED, RejectReason.EXPIRED),
    }
    too_long = "x" * 1601
    texts: ClassVar = ("body",)
    unreadable: ClassVar = {"date_sent": None, "date_created": None, "to": 7}
    sparse: ClassVar = {
        "body": None,
        "num_segments": None,
        "num_media": None,
        "date_sent": None,
        "date_updated": None,
        "error_code": None,
        "price": None,
        "price_unit": None,
        "subresource_uris": None,
        "uri": None,
    }
    other_text: ClassVar = {"body": ""}
    message_path = "/Messages/{id}/Media"
    garbage = (
        Garbage(),
        Garbage(method="GET"),
        Garbage(method="BREW", body=b"\xff\xfe"),
        Garbage(headers=SIGNED),
        Garbage(headers=FORM, body=b"MessageSid=SM1&MessageStatus=delivered"),
        Garbage(headers=SIGNED, body=b"MessageSid=SM1&MessageStatus=delivered"),
        Garbage(headers=SIGNED, body=b"CallSid=CA1&CallStatus=ringing"),
        Garbage(headers=SIGNED, body=b"\xff\xfe\x00"),
        Garbage(headers=SIGNED, body=b"&".join([b"a=b"] * 300)),
        Garbage(headers=SIGNED, body=b'{"MessageSid": ["SM1"]}'),
        Garbage(headers={"x-twilio-signature": "é\udcff"}, body=b"MessageSid=SM1"),
        Garbage(query="bodySHA256=00&m=%00", headers=SIGNED, body=b"{}"),
        Garbage(query="id=abc", body=b"id=abc"),
    )

    @property
    @override
    def provider(self) -> Twilio:
        return self.sim.twilio

    @property
    @override
    def account(self) -> str:
        return self.provider.ACCOUNT_SID

    @property
    @override
    def numbers(self) -> tuple[PhoneNumber, ...]:
        twilio = self.provider
        return tuple(
            PhoneNumber(account=self.account, number=number)
            for number in (twilio.NUMBER, twilio.SMS_ONLY_NUMBER)
        )

    @property
    @override
    def balance(self) -> Balance:
        return Balance(amount=self.provider.balance, currency=self.provider.currency)

    @property
    def key_credentials(self) -> dict[str, str]:
        """Return credentials with an API key beside the token."""
        twilio = self.provider
        return self.credentials | {
            "api_key_sid": twilio.API_KEY_SID,
            "api_key_secret": twilio.API_KEY_SECRET,
        }

    @property
    @override
    def wrong_credentials(self) -> Mapping[str, Mapping[str, str]]:
        right = self.key_credentials
        return {
            "account_sid": self.credentials | {"account_sid": "AC" + "0" * 32},
            "account_sid that is none": self.credentials | {"account_sid": "../x"},
            "auth_token": self.credentials | {"auth_token": "0" * 32},
            "no auth_token": self.credentials | {"auth_token": ""},
            "auth_token in another script": self.credentials | {"auth_token": "ключ"},
            "auth_token beside a key": right | {"auth_token": "0" * 32},
            "account_sid beside a key": right | {"account_sid": "AC" + "0" * 32},
            "api_key_sid": right | {"api_key_sid": "SK" + "0" * 32},
            "api_key_sid that is none": right | {"api_key_sid": "a:b"},
            "api_key_secret": right | {"api_key_secret": "wrong"},
        }

    @property
    @override
    def limited_credentials(self) -> Mapping[str, str]:
        twilio = self.provider
        return self.credentials | {
            "api_key_sid": twilio.RESTRICTED_KEY_SID,
            "api_key_secret": twilio.RESTRICTED_KEY_SECRET,
        }
