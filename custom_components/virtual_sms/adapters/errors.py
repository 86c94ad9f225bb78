"""Everything that can go wrong with a provider, as one tree.

    SmsError
    ├── AuthenticationError           the credentials are wrong or were revoked
    │   ├── AccountSuspendedError     they are right, the account is closed
    │   └── MissingRightsError        they are right, but may not do this
    ├── ProviderUnavailableError      down, unreachable or in trouble: try again
    │   └── RateLimitedError          too much at once: try again later
    ├── SendOutcomeUnknownError       maybe sent: ask before trying again
    ├── MessageRejectedError          the provider will never take this message
    ├── InvalidResponseError          the answer makes no sense
    ├── NotFoundError                 the provider knows no such thing
    ├── UnsupportedFeatureError       this provider cannot do that
    └── CallbackError
        ├── CallbackRejectedError     not authentic
        └── CallbackUnreadableError   authentic, but makes no sense

SendOutcomeUnknownError is deliberately no ProviderUnavailableError: who retries
on the latter must not send a second time on the former.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from .models import RejectReason
from .plain_text import clean

LONGEST_CODE = 255
LONGEST_ASKED = 3600.0
"""Seconds that a provider is granted, whatever pause it asks for."""


class SmsError(Exception):
    """The root: `code` is the error's translation key, its text is for developers.

    `provider_code` is the provider's own code, where it gave one. `retry_after` is the
    pause in seconds that it asked for, where it did: a header may ask for anything.
    """

    code: ClassVar[str] = "unknown"
    retry_after: float | None = None

    def __init__(self, message: str = "", *, provider_code: str | None = None) -> None:
        """Keep the provider's code beside the message."""
        super().__init__(message)
        self.provider_code = provider_code and clean(provider_code, LONGEST_CODE)

    @property
    def asked_pause(self) -> float:
        """Return the pause in seconds to grant the provider; 0 for none."""
        return min(self.retry_after or 0.0, LONGEST_ASKED)


class AuthenticationError(SmsError):
    """The provider refuses the credentials."""

    code = "invalid_auth"


class AccountSuspendedError(AuthenticationError):
    """The credentials are right, but their account is suspended or closed."""

    code = "account_suspended"


class MissingRightsError(AuthenticationError):
    """The credentials are right, but lack rights that are needed.

    `missing` names them as far as is known, as the provider does. It may hold a
    number, so it is for the eyes of its owner and for no log.
    """

    code = "missing_rights"

    def __init__(
        self,
        message: str = "",
        *,
        provider_code: str | None = None,
        missing: tuple[str, ...] = (),
    ) -> None:
        """Keep the names of the rights."""
        super().__init__(message, provider_code=provider_code)
        self.missing = missing


class ProviderUnavailableError(SmsError):
    """The provider cannot be reached or is in trouble.

    `maybe_processed` tells that the request may have been carried out before
    the trouble began; `answered` that the provider has finished with it;
    `retry_after` is the pause it asked for, in seconds.
    """

    code = "cannot_connect"

    def __init__(
        self,
        message: str = "",
        *,
        provider_code: str | None = None,
        maybe_processed: bool = True,
        answered: bool = False,
        retry_after: float | None = None,
    ) -> None:
        """Remember how far the request got."""
        super().__init__(message, provider_code=provider_code)
        self.maybe_processed = maybe_processed
        self.answered = answered
        self.retry_after = retry_after


class RateLimitedError(ProviderUnavailableError):
    """The provider wants fewer requests; nothing was processed."""

    code = "rate_limited"

    def __init__(
        self,
        message: str = "",
        *,
        provider_code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Keep the pause the provider asked for."""
        super().__init__(
            message,
            provider_code=provider_code,
            maybe_processed=False,
            answered=True,
            retry_after=retry_after,
        )


class SendOutcomeUnknownError(SmsError):
    """The request left, and nobody knows whether the message was accepted.

    `answered` tells that the provider has finished with the request, so that
    its record can be believed at once; `retry_after` is the pause it asked for.
    """

    code = "outcome_unknown"

    def __init__(
        self,
        message: str = "",
        *,
        answered: bool = False,
        retry_after: float | None = None,
    ) -> None:
        """Remember whether the provider may still be working on it."""
        super().__init__(message)
        self.answered = answered
        self.retry_after = retry_after


class MessageRejectedError(SmsError):
    """The provider refuses this message for good."""

    code = "rejected"

    def __init__(
        self,
        message: str = "",
        *,
        reason: RejectReason = RejectReason.OTHER,
        provider_code: str | None = None,
    ) -> None:
        """Keep the reason in our vocabulary."""
        super().__init__(message, provider_code=provider_code)
        self.reason = reason


class InvalidResponseError(SmsError):
    """The provider's answer cannot be understood."""

    code = "invalid_response"


class NotFoundError(SmsError):
    """The provider knows no such number, message or account."""

    code = "not_found"


class UnsupportedFeatureError(SmsError):
    """This provider has no such feature."""

    code = "unsupported"


class CallbackError(SmsError):
    """A callback that is not taken in."""

    code = "callback_rejected"


class CallbackRejectedError(CallbackError):
    """The callback is not authentic.

    `plausible` tells that all but the proof is right: then the address it was
    signed for may not be the one that we believe to have.
    """

    def __init__(self, message: str = "", *, plausible: bool = False) -> None:
        """Remember how near it came."""
        super().__init__(message)
        self.plausible = plausible


class CallbackUnreadableError(CallbackError):
    """The callback may be authentic, but makes no sense."""

    code = "callback_unreadable"


@contextmanager
def unclear_is_unknown() -> Iterator[None]:
    """Raise SendOutcomeUnknownError where what was asked may have been done all the same."""
    try:
        yield
    except InvalidResponseError as err:
        raise SendOutcomeUnknownError(str(err), answered=True) from err
    except ProviderUnavailableError as err:
        if not err.maybe_processed:
            raise
        raise SendOutcomeUnknownError(
            str(err), answered=err.answered, retry_after=err.retry_after
        ) from err
