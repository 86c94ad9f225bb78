"""What the conformance suite must know of a provider to put it to the test.

The suite speaks the contract to the adapter and the language all providers of
the simulator share to the other side. What is left is here: a `<key>/harness.py`
per provider, with a class `Harness` of its own.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from custom_components.virtual_sms.adapters.models import CallbackUrls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from custom_components.virtual_sms.adapters.base import SmsAdapter
    from custom_components.virtual_sms.adapters.models import (
        Balance,
        DeliveryStatus,
        PhoneNumber,
        RejectReason,
    )
    from simulator import Simulator
    from simulator.base import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """A request that no provider would send, though it may look like one."""

    method: str = "POST"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Harness(ABC):
    """One provider, as the suite sees it."""

    key: ClassVar[str]
    send_path: ClassVar[str]
    """A pattern for the path that sends, and with method POST for nothing else."""
    sdk_modules: ClassVar[tuple[str, ...]] = ()
    """Modules whose import is heavy, hence forbidden on the event loop."""
    recipient: ClassVar[str]
    """Somebody who gets every message."""
    refused: ClassVar[Mapping[str, RejectReason]]
    """Recipients the provider refuses at once, and why."""
    failing: ClassVar[Mapping[str, tuple[DeliveryStatus, RejectReason]]]
    """Recipients whose message is accepted, and what becomes of it."""
    too_long: ClassVar[str]
    """A text the provider cannot express."""
    legible: ClassVar[frozenset[tuple[str, str]]] = frozenset()
    """Pairs of a verb and an odd answer that makes sense to it after all."""
    garbage: ClassVar[tuple[Garbage, ...]]
    """Callbacks shaped like the provider's, yet nonsense."""

    # Of the records of a provider with HISTORY or LOOKUP:
    texts: ClassVar[tuple[str, ...]]
    """The fields of a message's record that hold its text."""
    unreadable: ClassVar[Mapping[str, object]]
    """What makes a message's record one that cannot be read, but for its id."""
    sparse: ClassVar[Mapping[str, object]]
    """An inbound record in which all is null that may be, the text included."""
    other_text: ClassVar[Mapping[str, object]]
    """An outbound record whose text, or name of ours, was taken out or changed."""
    message_path: ClassVar[str]
    """A pattern, with `{id}`, for the path of one inbound message or its parts."""

    def __init__(self, sim: Simulator) -> None:
        """Look at a running simulator."""
        self.sim = sim

    @property
    @abstractmethod
    def provider(self) -> Provider:
        """Return the provider's side in the simulator."""

    @property
    @abstractmethod
    def account(self) -> str:
        """Return the account's id as `get_account` and unique ids give it."""

    @property
    @abstractmethod
    def numbers(self) -> tuple[PhoneNumber, ...]:
        """Return the lines that can text; the first is the one used."""

    @property
    def balance(self) -> Balance:
        """Return what is left in the account."""
        raise NotImplementedError

    @property
    @abstractmethod
    def wrong_credentials(self) -> Mapping[str, Mapping[str, str]]:
        """Return credentials with one secret wrong each, by the name of that one."""

    @property
    def limited_credentials(self) -> Mapping[str, str] | None:
        """Return credentials that are right but may not list the numbers.

        Create them in the simulator where the provider needs that; None where all
        credentials may do the same.
        """
        return None

    def callback_urls(self, url: str) -> CallbackUrls:
        """Say what `set_callbacks` is given so that everything comes to a URL."""
        return CallbackUrls(inbound=url)

    async def connect(self, adapter: SmsAdapter, number: PhoneNumber, url: str) -> None:
        """Let all callbacks come to a URL, as far as it is not sent with a message."""
        await adapter.set_callbacks(number, self.callback_urls(url))

    @property
    def credentials(self) -> dict[str, str]:
        """Return the right credentials, with the simulator's address."""
        return {**self.provider.credentials, "api_url": self.sim.url}


def harness_of(key: str) -> type[Harness]:
    """Return a provider's harness; ModuleNotFoundError when it has none."""
    module = import_module(f".{key}.harness", __package__)
    harness: type[Harness] = module.Harness
    return harness
