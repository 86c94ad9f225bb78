"""Hold an OVHcloud customer: keys, SMS accounts, credits, who texted STOP."""

import itertools
from typing import TYPE_CHECKING, Final, override

from ..base import Draft, Provider
from ..world import now
from .models import OvhMessage, Service

if TYPE_CHECKING:
    from collections.abc import Iterable

# status: (delivery id, ptt)
STATES: Final = {
    "queued": (0, 0),
    "sent": (4, 3),
    "buffered": (8, 1),
    "delivered": (1, 4),
    "undelivered": (2, 5),
    "failed": (16, 39),
    "canceled": (16, 0),
}
STOP_WORDS: Final = frozenset({"STOP", "STOP SMS", "ARRET"})
FIRST_ID: Final = 2_100_000_001


class OvhState(Provider[int, OvhMessage]):
    """Hold the customer.

    `status_style` chooses the field that carries the delivery id: what
    OVHcloud documents ("description") or what others have seen ("dlr").
    """

    key = "ovh"
    name = "OVHcloud"
    message_type = OvhMessage

    APPLICATION_KEY: Final = "simapplicationkey"
    APPLICATION_SECRET: Final = "simulatedapplicationsecret000000"
    CONSUMER_KEY: Final = "simconsumerkeyfull00000000000000"
    LIMITED_CONSUMER_KEY: Final = "simconsumerkeylimited00000000000"
    READ_ONLY_CONSUMER_KEY: Final = "simconsumerkeyreadonly0000000000"
    SERVICE: Final = "sms-ab12345-1"
    EMPTY_SERVICE: Final = "sms-ab12345-2"
    NUMBER: Final = "+33900000001"
    SECOND_NUMBER: Final = "+33900000002"
    number = NUMBER

    @override
    def set_up(self) -> None:
        self.application_key = self.APPLICATION_KEY
        self.application_secret = self.APPLICATION_SECRET
        self.consumer_key = self.CONSUMER_KEY
        self.limited_consumer_key = self.LIMITED_CONSUMER_KEY
        self.read_only_consumer_key = self.READ_ONLY_CONSUMER_KEY
        self.status_style = "description"
        self.status_method = "GET"
        self._ids = itertools.count(FIRST_ID)
        self.services = {
            self.SERVICE: Service(
                name=self.SERVICE, numbers=(self.NUMBER, self.SECOND_NUMBER)
            ),
            self.EMPTY_SERVICE: Service(name=self.EMPTY_SERVICE),
        }

    @property
    def service(self) -> Service:
        """Return the service that has the numbers."""
        return self.services[self.SERVICE]

    @property
    @override
    def credentials(self) -> dict[str, str]:
        return {
            "application_key": self.application_key,
            "application_secret": self.application_secret,
            "consumer_key": self.consumer_key,
        }

    @override
    def new_id(self, *, media: bool) -> int:
        return next(self._ids)

    @override
    def compose(self, message_id: int, draft: Draft) -> OvhMessage:
        message = super().compose(message_id, draft)
        message.service = self.service_of(message.number)
        if not message.inbound:
            message.receipt, message.ptt = STATES[message.status]
        return message

    def expire(self, names: Iterable[str]) -> None:
        """Let just these accounts have expired; one that is not there is added."""
        for name in names:
            self.services.setdefault(name, Service(name=name))
        for service in self.services.values():
            service.expired = service.name in names

    def service_of(self, number: str) -> str:
        """Name the service a number belongs to."""
        for service in self.services.values():
            if number in service.numbers:
                return service.name
        return self.SERVICE

    @override
    def obey(self, message: OvhMessage) -> None:
        if message.text.strip().upper() in STOP_WORDS:
            service = self.services[message.service]
            service.blacklist[message.sender] = now()

    def refund(self, message: OvhMessage) -> None:
        """Give back the credits of a message that is not billed."""
        self.services[message.service].credits += message.credits
        message.credits = 0.0
