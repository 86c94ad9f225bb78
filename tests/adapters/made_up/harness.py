"""What the conformance suite must know of the made-up provider."""

from typing import TYPE_CHECKING, ClassVar, override

from custom_components.virtual_sms.adapters.models import (
    DeliveryStatus,
    PhoneNumber,
    RejectReason,
)
from tests.adapters.harness import Garbage, Harness as BaseHarness

from .simulated import ABSENT, NO_NUMBER, MadeUp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from custom_components.virtual_sms.adapters.base import SmsAdapter

SIGNED = {"x-made-up-signature": "é\udcff"}


class Harness(BaseHarness):
    """The made-up provider, as the suite sees it."""

    key = "made_up"
    send_path = "/send"
    recipient = "+33612345678"
    refused: ClassVar = {NO_NUMBER: RejectReason.INVALID_NUMBER}
    failing: ClassVar = {ABSENT: (DeliveryStatus.FAILED, RejectReason.UNREACHABLE)}
    too_long = "x" * 1001
    garbage = (
        Garbage(),
        Garbage(method="GET", query="id=7"),
        Garbage(headers=SIGNED, body=b"id=7&status=delivered"),
        Garbage(headers=SIGNED, body=b"\xff\xfe"),
    )

    @property
    @override
    def provider(self) -> MadeUp:
        made_up = self.sim.providers[self.key]
        assert isinstance(made_up, MadeUp)
        return made_up

    @property
    @override
    def account(self) -> str:
        return self.provider.account

    @property
    @override
    def numbers(self) -> tuple[PhoneNumber, ...]:
        return (PhoneNumber(account=self.account, number=self.provider.number),)

    @property
    @override
    def wrong_credentials(self) -> Mapping[str, Mapping[str, str]]:
        return {
            f"token {token!r}": self.credentials | {"token": token}
            for token in ("", "wrong", "ключ")
        }

    @override
    async def connect(self, adapter: SmsAdapter, number: PhoneNumber, url: str) -> None:
        # Its user writes the URL into a form of the provider's.
        self.provider.callback_url = url
