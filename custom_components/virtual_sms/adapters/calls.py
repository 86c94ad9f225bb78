"""The part of the contract that is about calls; see `Capability.CALLS`."""

from datetime import datetime

from .call_models import (
    CallReply,
    CallUpdate,
    OutboundCall,
    PlacedCall,
    RecordedCall,
)
from .errors import UnsupportedFeatureError, unclear_is_unknown
from .models import Acknowledgement, CallbackUrls, PhoneNumber


class CallVerbs:
    """Call people, and answer those who call; without CALLS nobody can."""

    def check_call(self, call: OutboundCall, callback_url: str | None) -> None:
        """Refuse what the provider cannot express, before it is asked.

        Raises MessageRejectedError for a text that is too long or empty, and
        UnsupportedFeatureError for a key where no callback could tell of it.
        """
        raise UnsupportedFeatureError

    async def make_call(
        self, number: PhoneNumber, call: OutboundCall, callback_url: str | None
    ) -> PlacedCall:
        """Have the provider call somebody, once.

        Raises MessageRejectedError when it is refused for good, and
        SendOutcomeUnknownError when it may have been accepted all the same.
        """
        with unclear_is_unknown():
            return await self._make_call(number, call, callback_url)

    async def _make_call(
        self, number: PhoneNumber, call: OutboundCall, callback_url: str | None
    ) -> PlacedCall:
        """Do what `make_call` promises, leaving the unknown outcomes to it."""
        raise UnsupportedFeatureError

    async def fetch_call(self, number: PhoneNumber, provider_id: str) -> CallUpdate:
        """Ask where a call stands; raises NotFoundError when it is unknown."""
        raise UnsupportedFeatureError

    async def cancel_call(self, number: PhoneNumber, provider_id: str) -> CallUpdate:
        """Stop a phone that rings or is about to, and return where the call stands.

        One that is answered meanwhile goes on to its end. Raises NotFoundError when it
        is unknown; a provider may refuse to touch one that has ended.
        """
        raise UnsupportedFeatureError

    async def find_calls(
        self, number: PhoneNumber, recipient: str, since: datetime
    ) -> list[PlacedCall]:
        """List the calls to somebody that were made at or after `since`, oldest first.

        `since` is the provider's time. This is how an unknown outcome is reconciled,
        so it must not miss what has been accepted.
        """
        raise UnsupportedFeatureError

    async def fetch_incoming_calls(
        self, number: PhoneNumber, since: datetime
    ) -> list[RecordedCall]:
        """List calls to a number that began at or after `since` and have ended.

        The oldest comes first; `since` is the provider's time.
        """
        raise UnsupportedFeatureError

    def answer_call(
        self, reply: CallReply | None, callback_url: str | None
    ) -> Acknowledgement:
        """Return the answer to a callback about a call; None where it asks nothing."""
        raise UnsupportedFeatureError

    async def get_voice_callbacks(self, number: PhoneNumber) -> CallbackUrls:
        """Read the URL that is asked when somebody calls, as `inbound`."""
        raise UnsupportedFeatureError

    async def set_voice_callbacks(
        self, number: PhoneNumber, urls: CallbackUrls
    ) -> None:
        """Write the URL that is asked when somebody calls; None clears it."""
        raise UnsupportedFeatureError
