"""What the SDK signs for us is what it would have sent."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import ovh.client
import pytest

from custom_components.virtual_sms.adapters.errors import AuthenticationError
from custom_components.virtual_sms.adapters.ovh.client import (
    BATCH,
    Access,
    Request,
    SignedRequest,
    build,
    sign,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1366560945
# The example that OVHcloud publishes ("First steps with the API").
PUBLISHED = Access(
    origin=None,
    application_key="7kbG7Bk7S9Nt7ZSV",
    application_secret="EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF",
    consumer_key="MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1",
)
REQUESTS = [
    Request(path="/sms"),
    Request(path="/auth/time", signed=False),
    Request(path="/sms/a/virtualNumbers/%2B33900000001/outgoing", query={"tag": "é+&"}),
    Request(path="/sms/a/virtualNumbers/1/incoming/1,2", headers=BATCH),
    Request(
        path="/sms/a/jobs", method="POST", body={"message": "Ça va ? 🙂", "n": [1]}
    ),
    Request(
        path="/auth/credential", method="POST", body={"accessRules": []}, signed=False
    ),
    Request(path="/sms/a", method="PUT", body={"callBack": ""}),
]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the SDK's clock."""
    monkeypatch.setattr(ovh.client, "time", SimpleNamespace(time=lambda: NOW))


def test_published_example() -> None:
    """The signature of OVHcloud's own example comes out."""
    signed = sign(build(PUBLISHED), Request(path="/domains/"), 0)
    assert signed.url == "https://eu.api.ovh.com/1.0/domains/"
    assert signed.headers == {
        "X-Ovh-Application": PUBLISHED.application_key,
        "X-Ovh-Consumer": PUBLISHED.consumer_key,
        "X-Ovh-Timestamp": str(NOW),
        "X-Ovh-Signature": "$1$d3705e8afb27a0d2970a322b96550abfc67bb798",
    }


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: each.path)
def test_to_the_letter(request_: Request) -> None:
    """Method, address, headers and body are those the SDK left to itself would send."""
    sent: list[SignedRequest] = []

    def send(
        method: str, url: str, *, headers: Mapping[str, str], data: str, timeout: float
    ) -> SimpleNamespace:
        sent.append(SignedRequest(method, url, headers, data))
        body = str(NOW + 7) if url.endswith("/time") else "null"
        return SimpleNamespace(status_code=200, json=lambda: int(body))

    alone: Any = ovh.client.Client(
        "ovh-eu",
        PUBLISHED.application_key,
        PUBLISHED.application_secret,
        PUBLISHED.consumer_key,
    )
    alone._session = SimpleNamespace(request=send)
    query = alone._prepare_query_string(request_.query)
    alone.raw_call(
        request_.method,
        f"{request_.path}?{query}" if query else request_.path,
        data=request_.body,
        need_auth=request_.signed,
        headers=dict(request_.headers),
    )
    assert sign(build(PUBLISHED), request_, 7) == sent[-1]


def test_nothing_secret_is_shown() -> None:
    """Neither who speaks nor what is said shows where an object is printed."""
    signed = sign(build(PUBLISHED), REQUESTS[4], 0)
    assert PUBLISHED.consumer_key not in f"{signed!r}{PUBLISHED!r}"
    assert "va ?" not in repr(signed)


@pytest.mark.parametrize("name", ["application_key", "consumer_key"])
@pytest.mark.parametrize("key", ["ключ", "a\nb", "é", "a\x00"])
def test_a_key_that_fits_into_no_header(name: str, key: str) -> None:
    """What cannot be sent is refused before anything is."""
    keys = {"application_key": "a", "consumer_key": "c"} | {name: key}
    with pytest.raises(AuthenticationError):
        build(Access(origin=None, application_secret="s", **keys))
