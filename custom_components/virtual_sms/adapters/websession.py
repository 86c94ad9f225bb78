"""What an error of the web session says about the request it was given."""

from typing import Final

from aiohttp import (
    ClientConnectorError,
    ConnectionTimeoutError,
    InvalidURL,
    NonHttpUrlClientError,
)

from .errors import ProviderUnavailableError

NEVER_LEFT: Final = (
    ClientConnectorError,
    ConnectionTimeoutError,
    InvalidURL,
    NonHttpUrlClientError,
)
"""No connection came about, so that nothing was asked."""


def unavailable(err: Exception) -> ProviderUnavailableError:
    """Return our error for one of the session's, sure only where nothing left.

    Its own text, which may hold the URL with a number in it, is left behind.
    """
    return ProviderUnavailableError(
        type(err).__name__, maybe_processed=not isinstance(err, NEVER_LEFT)
    )
