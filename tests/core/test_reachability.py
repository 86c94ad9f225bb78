"""What a request to ourselves proves, and what its failure means."""

from datetime import UTC, datetime

import pytest

from custom_components.virtual_sms.adapters.callback_failures import (
    CallbackFailure,
    FailureKind,
)
from custom_components.virtual_sms.adapters.models import (
    CallbackRequest,
)
from custom_components.virtual_sms.core.reachability import (
    FIELD,
    HEADER,
    Challenge,
    Verdict,
    judge_failure,
    judge_url,
)

HOOK = "https://home.example/api/webhook/abc"


@pytest.fixture
def challenge() -> Challenge:
    """Make a challenge."""
    return Challenge(webhook_id="abc")


def request(
    challenge: Challenge, *parts: str, nonce: str | None = None
) -> CallbackRequest:
    """Make the request of a challenge of which only some parts arrived."""
    nonce = nonce or challenge.nonce
    return CallbackRequest(
        method="POST",
        url=f"{HOOK}?{FIELD}={nonce}" if "query" in parts else HOOK,
        headers={HEADER: nonce} if "header" in parts else {},
        body=f"{FIELD}={nonce}".encode() if "body" in parts else b"",
    )


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        (("query", "header", "body"), Verdict.OK),
        (("header", "body"), Verdict.QUERY_LOST),
        (("header",), Verdict.QUERY_LOST),
        (("query", "header"), Verdict.CONTENT_LOST),
        (("query", "body"), Verdict.CONTENT_LOST),
    ],
)
def test_what_arrived(
    challenge: Challenge, parts: tuple[str, ...], verdict: Verdict
) -> None:
    """The answer shows what of the request was lost on the way."""
    answer = challenge.answer(request(challenge, *parts))
    assert answer is not None
    assert challenge.nonce not in answer
    assert challenge.judge(200, answer) is verdict


@pytest.mark.parametrize("nonce", ["", "wrong", "é", None])
def test_other_requests_are_no_challenge(
    challenge: Challenge, nonce: str | None
) -> None:
    """Only who has the nonce is answered."""
    parts = ("query", "header", "body") if nonce else ()
    assert challenge.answer(request(challenge, *parts, nonce=nonce)) is None
    garbage = CallbackRequest(method="POST", url=HOOK, body=b"\xff")
    assert challenge.answer(garbage) is None


def test_nonces_differ() -> None:
    """A nonce is good for one check, and is shown in no log."""
    first, second = Challenge(webhook_id="abc"), Challenge(webhook_id="abc")
    assert first.nonce != second.nonce
    assert first.nonce not in repr(first)
    assert "abc" not in repr(first)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.OTHER_SERVER),
        (301, Verdict.REDIRECTED),
        (308, Verdict.REDIRECTED),
        (400, Verdict.PROXY_NOT_TRUSTED),
        (401, Verdict.LOGIN_REQUIRED),
        (403, Verdict.LOGIN_REQUIRED),
        (404, Verdict.OTHER_SERVER),
        (405, Verdict.OTHER_SERVER),
        (502, Verdict.GATEWAY),
        (522, Verdict.GATEWAY),
    ],
)
@pytest.mark.parametrize("text", ["", "<html>", "query header body", "é"])
def test_other_answers(
    challenge: Challenge, status: int, text: str, verdict: Verdict
) -> None:
    """Who does not know the digest is not this home."""
    assert challenge.judge(status, text) is verdict


@pytest.mark.parametrize(
    ("url", "provider_url", "verdict"),
    [
        (HOOK, None, Verdict.OK),
        ("http://home.example/hook", None, Verdict.PLAIN_HTTP),
        ("http://home.example/hook", "http://127.0.0.1:8080", Verdict.PLAIN_HTTP),
        ("https://192.168.1.2:8123/hook", None, Verdict.PRIVATE_ADDRESS),
        ("http://homeassistant.local:8123/hook", None, Verdict.PRIVATE_ADDRESS),
        ("http://localhost/hook", "https://eu.example", Verdict.PRIVATE_ADDRESS),
        ("http://127.0.0.1/hook", "http://127.0.0.1:8080", Verdict.OK),
        ("https://[::1]/hook", None, Verdict.PRIVATE_ADDRESS),
        ("https://1.1.1.1/hook", None, Verdict.OK),
    ],
)
def test_what_an_address_tells(
    url: str, provider_url: str | None, verdict: Verdict
) -> None:
    """Some addresses need no trying."""
    assert judge_url(url, provider_url) is verdict


@pytest.mark.parametrize(
    ("kind", "status", "verdict"),
    [
        (FailureKind.CERTIFICATE, None, Verdict.CERTIFICATE),
        (FailureKind.NAME_UNKNOWN, None, Verdict.NAME_UNKNOWN),
        (FailureKind.TIMED_OUT, None, Verdict.CALLS_LOST),
        (FailureKind.UNREACHABLE, None, Verdict.CALLS_LOST),
        (FailureKind.OTHER, None, Verdict.CALLS_REFUSED),
        (FailureKind.HTTP_STATUS, None, Verdict.CALLS_REFUSED),
        (FailureKind.HTTP_STATUS, 302, Verdict.REDIRECTED),
        (FailureKind.HTTP_STATUS, 400, Verdict.PROXY_NOT_TRUSTED),
        (FailureKind.HTTP_STATUS, 401, Verdict.LOGIN_REQUIRED),
        (FailureKind.HTTP_STATUS, 403, Verdict.CALLS_REFUSED),
        (FailureKind.HTTP_STATUS, 404, Verdict.OTHER_SERVER),
        (FailureKind.HTTP_STATUS, 502, Verdict.GATEWAY),
    ],
)
def test_what_a_failed_call_tells(
    kind: FailureKind, status: int | None, verdict: Verdict
) -> None:
    """What the provider met is what is to be fixed."""
    failure = CallbackFailure(at=datetime.now(UTC), kind=kind, status=status)
    assert judge_failure(failure) is verdict
