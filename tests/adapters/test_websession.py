"""What never left is told from what may have been carried out."""

import ssl
from typing import Any

import aiohttp
import pytest
from yarl import URL

from custom_components.virtual_sms.adapters.websession import unavailable

PLACE: Any = aiohttp.client_reqrep.ConnectionKey(
    host="host.example",
    port=443,
    is_ssl=True,
    ssl=True,
    proxy=None,
    proxy_auth=None,
    proxy_headers_hash=None,
)
NEVER = [
    aiohttp.ClientConnectorError(PLACE, ConnectionRefusedError()),
    aiohttp.ClientConnectorDNSError(PLACE, OSError()),
    aiohttp.ClientConnectorSSLError(PLACE, ssl.SSLError()),
    aiohttp.ClientConnectorCertificateError(PLACE, ssl.SSLCertVerificationError()),
    aiohttp.ConnectionTimeoutError(),
    aiohttp.InvalidUrlClientError(URL("x")),
    aiohttp.NonHttpUrlClientError(URL("x")),
]
MAYBE = [
    aiohttp.ServerDisconnectedError(),
    aiohttp.SocketTimeoutError(),
    aiohttp.ClientOSError(),
    aiohttp.ClientPayloadError(),
    ConnectionResetError(),
    TimeoutError(),
]


@pytest.mark.parametrize("err", NEVER, ids=lambda err: type(err).__name__)
def test_never_left(err: Exception) -> None:
    """Without a connection nothing was asked."""
    assert not unavailable(err).maybe_processed


@pytest.mark.parametrize("err", MAYBE, ids=lambda err: type(err).__name__)
def test_may_have_been_carried_out(err: Exception) -> None:
    """A connection that broke or fell silent leaves the outcome open."""
    ours = unavailable(err)
    assert ours.maybe_processed
    assert not ours.answered


def test_its_text_stays_behind() -> None:
    """It may hold a URL with a number in it."""
    shown = str(unavailable(aiohttp.InvalidUrlClientError(URL("http:+33612345678"))))
    assert shown == "InvalidUrlClientError"
