"""What the conformance suite must know of OVHcloud."""

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, override

from custom_components.virtual_sms.adapters.models import (
    Balance,
    CallbackUrls,
    DeliveryStatus,
    PhoneNumber,
    RejectReason,
)
from tests.adapters.harness import Garbage, Harness as BaseHarness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.ovh import Ovh

FORM = {"content-type": "application/x-www-form-urlencoded"}


class Harness(BaseHarness):
    """OVHcloud, as the suite sees it."""

    key = "ovh"
    send_path = r"/virtualNumbers/[^/]+/jobs"
    sdk_modules = ("ovh", "requests_oauthlib")
    recipient = "+33612345678"
    refused: ClassVar = {
        "+33600000001": RejectReason.INVALID_NUMBER,
        "+33600000002": RejectReason.NO_CREDIT,
    }
    failing: ClassVar = {
        "+33600000108": (DeliveryStatus.UNDELIVERED, RejectReason.EXPIRED),
        "+33600000121": (DeliveryStatus.UNDELIVERED, RejectReason.UNREACHABLE),
        "+33600000123": (DeliveryStatus.UNDELIVERED, RejectReason.INVALID_NUMBER),
        "+33600000124": (DeliveryStatus.UNDELIVERED, RejectReason.UNREACHABLE),
        "+33600000128": (DeliveryStatus.UNDELIVERED, RejectReason.SPAM),
        "+33600000133": (DeliveryStatus.UNDELIVERED, RejectReason.BLOCKED),
        "+33600000139": (DeliveryStatus.UNDELIVERED, RejectReason.OTHER),
        "+33600000210": (DeliveryStatus.FAILED, RejectReason.NO_CREDIT),
        "+33600000253": (DeliveryStatus.FAILED, RejectReason.OPTED_OUT),
    }
    too_long = "x" * (6 * 153 + 1)
    # A customer without an SMS account, or a number without messages; or else with
    # one that cannot be read, which is set aside.
    legible = frozenset(
        (verb, "[]")
        for verb in (
            "get_account",
            "list_numbers",
            "list_opted_out",
            "fetch_inbound",
            "find_sent",
        )
    ) | {("fetch_inbound", "[1]"), ("find_sent", "[1]")}
    texts: ClassVar = ("message",)
    unreadable: ClassVar = {"creationDatetime": "yesterday"}
    sparse: ClassVar = {"message": None, "tag": None, "credits": None}
    other_text: ClassVar = {"message": "*****", "tag": ""}
    message_path = "/incoming/{id}"
    garbage = (
        Garbage(),
        Garbage(method="GET"),
        Garbage(method="BREW", body=b"\xff\xfe"),
        Garbage(query="id=abc&dlr=1"),
        Garbage(method="GET", query="id=&ptt=4&description=1"),
        Garbage(method="GET", query="id=-1&ptt=4&description=1"),
        Garbage(method="GET", query="id=1.5&ptt=4&description=1"),
        Garbage(method="GET", query=f"id={'9' * 20}&dlr=1"),
        Garbage(method="GET", query="id=%D9%A3&dlr=1"),
        Garbage(method="GET", query="id=7"),
        Garbage(method="GET", query="dlr=1&ptt=4"),
        Garbage(headers=FORM, body=b"id=7&senderid=%2B33612345678"),
        Garbage(headers=FORM, body=b"senderid=%2B33612345678&message=x"),
        Garbage(headers=FORM, body=b"id=x&senderid=%2B33612345678&message=x"),
        Garbage(headers=FORM, body=b"id=7&message=x"),
        Garbage(headers=FORM, body=b"id=7&senderid=x&message=\xff\xfe\x00"),
        Garbage(headers=FORM, body=b"&".join([b"id=7"] * 300)),
        Garbage(headers=FORM, body=b'{"id": 7, "senderid": "x", "message": "y"}'),
        Garbage(headers={"x-ovh-signature": "é\udcff"}, body=b"id=7"),
    )

    @property
    @override
    def provider(self) -> Ovh:
        return self.sim.ovh

    @property
    @override
    def account(self) -> str:
        return self.provider.SERVICE

    @property
    @override
    def numbers(self) -> tuple[PhoneNumber, ...]:
        return tuple(
            PhoneNumber(account=self.account, number=number)
            for number in self.provider.service.numbers
        )

    @property
    @override
    def balance(self) -> Balance:
        return Balance(amount=Decimal(str(self.provider.service.credits)))

    @property
    @override
    def wrong_credentials(self) -> Mapping[str, Mapping[str, str]]:
        right = self.credentials
        return {
            "application_key": right | {"application_key": "0" * 16},
            "application_key in another script": right | {"application_key": "ключ"},
            "application_key of two lines": right | {"application_key": "a\nb"},
            "application_secret": right | {"application_secret": "0" * 32},
            "no application_secret": right | {"application_secret": ""},
            "consumer_key": right | {"consumer_key": "0" * 32},
            "consumer_key in another script": right | {"consumer_key": "ключ"},
            "no consumer_key": right | {"consumer_key": ""},
        }

    @property
    @override
    def limited_credentials(self) -> Mapping[str, str]:
        account = f"/sms/{self.account}"
        rules = (("GET", account), ("POST", f"{account}/*"))
        self.provider.auth.add("simconsumerkeysending", rules)
        return self.credentials | {
            "consumer_key": "simconsumerkeysending",
            "service_name": self.account,
        }

    @override
    def callback_urls(self, url: str) -> CallbackUrls:
        return CallbackUrls(inbound=url, status=url)
