"""What is peculiar to Twilio: signatures, its error codes, its SDK."""

import asyncio
import base64
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import hashlib
import hmac
from importlib.metadata import version
import json
import logging
import socket
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode

from hypothesis import given, settings, strategies as st
import pytest
from twilio.request_validator import RequestValidator

from custom_components.virtual_sms.adapters import base
from custom_components.virtual_sms.adapters.errors import (
    AccountSuspendedError,
    AuthenticationError,
    CallbackError,
    CallbackRejectedError,
    CallbackUnreadableError,
    InvalidResponseError,
    MessageRejectedError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
    SendOutcomeUnknownError,
)
from custom_components.virtual_sms.adapters.models import (
    CallbackRequest,
    CallbackUrls,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    PhoneNumber,
    RejectReason,
    SetAside,
    SetAsideReason,
)
from custom_components.virtual_sms.adapters.twilio.adapter import TwilioAdapter
from custom_components.virtual_sms.adapters.twilio.http import (
    HOSTS,
    ORIGIN,
    AsyncHttp,
    BlockingHttp,
    Refusal,
    _address,
)
from custom_components.virtual_sms.adapters.twilio.records import TRIAL_PREFIX
from custom_components.virtual_sms.adapters.twilio.sdk import (
    Sdk,
    load,
    require_sid,
    use,
)
from custom_components.virtual_sms.adapters.wishes import Wish
from simulator import Media, Simulator
from tests.adapters.test_conformance import nothing_known

from .harness import Harness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import aiohttp
    from freezegun.api import FrozenDateTimeFactory

TOKEN = "12345"
ACCOUNT = "AC" + "5a" * 16
NUMBER = PhoneNumber(account=ACCOUNT, number="+15005550006")
HOOK = "https://home.example.com/api/webhook/abc"
U = "https://mycompany.com/myapp.php?foo=1&bar=2"
P = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
D = P | {"Caller": "+14158675310", "From": "+14158675310"}
REPEATED = (
    ("Sid", "CA123"),
    ("SidAccount", "AC123"),
    ("Digits", "5678"),
    ("Digits", "1234"),
    ("Digits", "1234"),
)
BODY_SHA = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
# From "Security" and the SDK's own tests.
VECTORS = {
    "form": (U, P.items(), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    "port added": (
        U.replace(".com", ".com:443"),
        P.items(),
        "kvajT1Ptam85bY51eRf/AJRuM3w=",
    ),
    "http port": (
        U.replace("https", "http").replace(".com", ".com:80"),
        P.items(),
        "0ZXoZLH/DfblKGATFgpif+LLRf4=",
    ),
    "another port": (
        U.replace("https", "http").replace(".com", ".com:1234"),
        P.items(),
        "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
    ),
    "repeated names": (U, REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
    "body hash": (f"{U}&bodySHA256={BODY_SHA}", (), "a9nBmqA0ju/hNViExpshrM61xv4="),
    "documentation": (
        "https://example.com/myapp.php?foo=1&bar=2",
        D.items(),
        "L/OH5YylLD5NRKLltdqwSvS0BnU=",
    ),
}
SHA256_SIGNATURE = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="

CODES = {
    AuthenticationError: "20003",
    MissingRightsError: "70051",
    AccountSuspendedError: "20005 20403 90010 30002",
    NotFoundError: "20404",
    RateLimitedError: "10004 20429 21611 30001 30022 30023 30027 63038",
    ProviderUnavailableError: "20500 20503",
    MessageRejectedError: (
        "21211 21265 21266 21212 21603 21606 21659 21660 21661 21408 21608 572005 "
        "572002 30044 10002 21609 21610 21612 21614 21635 30006 21602 21617 21620 "
        "21623 11751 30011 30019 21703 21704 21705 30003 30005 30008 30004 30007 "
        "30450 30032 30034 30036 30410 "
        "10005 21210 21214 21215 21216 21217 21219 32018"
    ),
}


@pytest.fixture
def key() -> str:
    """Name the provider these tests are about."""
    return "twilio"


@pytest.fixture
def number(harness: Harness) -> PhoneNumber:
    """Return the line the tests use."""
    return harness.numbers[0]


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    """Return the SDK with the token of the published vectors."""
    credentials = {"account_sid": ACCOUNT, "auth_token": TOKEN}
    return load(credentials, None, ORIGIN)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def signer(sdk: Sdk) -> TwilioAdapter:
    """Return an adapter that is ready for callbacks, and asks nobody."""
    return _signer(sdk)


def _signer(sdk: Sdk) -> TwilioAdapter:
    adapter = TwilioAdapter(
        {"account_sid": ACCOUNT, "auth_token": TOKEN},
        session=None,  # type: ignore[arg-type]
        run_blocking=asyncio.to_thread,
    )
    adapter._sdk = sdk
    return adapter


def sign(url: str, fields: Sequence[tuple[str, str]], token: str = TOKEN) -> str:
    """Sign as "Security" says."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def callback(
    fields: dict[str, str] | Sequence[tuple[str, str]],
    url: str = HOOK,
    *,
    token: str = TOKEN,
    account: str = ACCOUNT,
) -> CallbackRequest:
    """Return a callback that is signed."""
    pairs = list(fields.items() if isinstance(fields, dict) else fields)
    pairs.append(("AccountSid", account))
    return CallbackRequest(
        method="POST",
        url=url,
        headers={"x-twilio-signature": sign(url, pairs, token)},
        body=urlencode(pairs).encode(),
    )


def outbound(text: str = "Hello", **changes: Any) -> OutboundMessage:
    """Compose a message."""
    values = {
        "message_id": "id 1",
        "recipient": Harness.recipient,
        "text": text,
        "created_at": datetime.now(UTC),
    }
    return OutboundMessage(**(values | changes))


many = settings(deadline=None, database=None, max_examples=200)

STATUS = {"MessageSid": "SM1", "MessageStatus": "sent"}
INBOUND = {
    "MessageSid": "SM2",
    "From": "+33612345678",
    "To": "+15005550006",
    "Body": "",
}


# Signatures


@pytest.mark.parametrize("name", VECTORS)
def test_published_vectors(name: str, sdk: Sdk) -> None:
    """What Twilio has published is authentic, and the SDK agrees."""
    url, pairs, signature = VECTORS[name]
    assert sdk.has_signed(TOKEN, url, pairs, signature)
    assert not sdk.has_signed(TOKEN, url + "x", pairs, signature)
    assert not sdk.has_signed(TOKEN, url, [*pairs, ("a", "b")], signature)
    if name != "repeated names":
        assert sdk.build_validator(TOKEN).validate(url, dict(pairs), signature)


def test_a_key_shared_for_webhooks_is_none_of_ours(sdk: Sdk) -> None:
    """The beta that signs with SHA-256 and another secret is refused."""
    assert not sdk.has_signed(TOKEN, U, P.items(), SHA256_SIGNATURE)


@pytest.mark.parametrize(
    ("signed", "seen"),
    [
        ("https://a.example/x?y=1", "https://a.example:443/x?y=1"),
        ("https://a.example:443/x?y=1", "https://a.example/x?y=1"),
        ("http://a.example:80/x", "http://a.example/x"),
        ("https://a.example/x", "https://a.example:8123/x"),
        ("https://[::1]/x", "https://[::1]:443/x"),
        ("https://a.example/x?y=1", "https://a.example/x?y=1#rc=3"),
    ],
)
def test_port_and_fragment(signed: str, seen: str, sdk: Sdk) -> None:
    """The port may be there or not; what follows a # is never signed."""
    assert sdk.has_signed(TOKEN, seen, P.items(), sign(signed, list(P.items())))


@many
@given(
    fields=st.dictionaries(st.text(), st.text(), max_size=8),
    path=st.text(st.characters(codec="ascii", categories=["L", "N"])),
)
def test_the_sdk_is_the_oracle(fields: dict[str, str], path: str, sdk: Sdk) -> None:
    """Whatever the SDK signs is authentic; the same with a change is not."""
    url = f"{HOOK}/{path}"
    signature = sdk.build_validator(TOKEN).compute_signature(url, fields)
    assert sdk.has_signed(TOKEN, url, fields.items(), signature)
    assert not sdk.has_signed(TOKEN, url, [*fields.items(), ("\0", "x")], signature)


@many
@given(
    method=st.sampled_from(["GET", "POST", "PUT", ""]),
    url=st.one_of(st.text(), st.text().map(lambda text: f"{HOOK}?{text}")),
    headers=st.dictionaries(
        st.sampled_from(["x-twilio-signature", "content-type", "x"]), st.text()
    ),
    body=st.one_of(
        st.binary(),
        st.dictionaries(
            st.sampled_from(
                ["MessageSid", "MessageStatus", "From", "To", "Body", "NumSegments"]
            ),
            st.text(),
        ).map(lambda fields: urlencode(fields, errors="replace").encode()),
    ),
)
def test_any_bytes(
    sdk: Sdk, method: str, url: str, headers: dict[str, str], body: bytes
) -> None:
    """Whatever arrives is refused as a callback may be, or is read."""
    adapter = _signer(sdk)
    request = CallbackRequest(method=method, url=url, headers=headers, body=body)
    with pytest.raises(CallbackRejectedError):
        adapter.verify(request)
    try:
        event = adapter.parse(request)
    except CallbackError:
        return
    assert adapter.acknowledge(event)


@pytest.mark.parametrize(
    "request_",
    [
        CallbackRequest(method="POST", url="https://[x/", body=b""),
        CallbackRequest(method="POST", url="https://a:99999999/", body=b""),
        CallbackRequest(method="POST", url=HOOK + "\ud800"),
        CallbackRequest(
            method="POST", url=HOOK, headers={"x-twilio-signature": "\udcff"}
        ),
        CallbackRequest(method="POST", url=HOOK, body=b"\xff"),
        CallbackRequest(method="POST", url=HOOK, body=b"a=b&" * 201),
        replace(callback(STATUS), truncated=True),
        replace(callback(STATUS), headers={}),
        replace(callback(STATUS), headers={"x-twilio-signature": ""}),
        replace(callback(STATUS), method="POST", body=callback(STATUS).body + b"&a=b"),
        replace(callback({}), body=callback({}).body[:-1]),
        callback(STATUS, token="another"),
        callback(STATUS, account="AC" + "0" * 32),
        CallbackRequest(
            method="POST",
            url=f"{U}&bodySHA256={BODY_SHA}",
            headers={"x-twilio-signature": "a9nBmqA0ju/hNViExpshrM61xv4="},
            body=b'{"property": "value", "boolean": true}',
        ),
    ],
    ids=lambda request: None,
)
def test_rejected(request_: CallbackRequest, signer: TwilioAdapter) -> None:
    """What is not signed as it came, or for another account, is rejected."""
    with pytest.raises(CallbackRejectedError):
        signer.verify(request_)


def test_accepted(signer: TwilioAdapter) -> None:
    """Forms, repeated names and what comes in the query are accepted."""
    signer.verify(callback(STATUS))
    signer.verify(callback([("a", "2"), ("a", "1"), ("a", "2"), ("b", "")]))
    url = f"{HOOK}?AccountSid={ACCOUNT}&Body=a%20b"
    signer.verify(
        CallbackRequest(
            method="GET", url=url, headers={"x-twilio-signature": sign(url, [])}
        )
    )


async def test_not_prepared(session: aiohttp.ClientSession) -> None:
    """Nothing is believed before the SDK is there."""
    adapter = TwilioAdapter(
        {"account_sid": ACCOUNT, "auth_token": TOKEN},
        session=session,
        run_blocking=asyncio.to_thread,
    )
    with pytest.raises(CallbackRejectedError):
        adapter.verify(callback(STATUS))


async def in_rotation(
    session: aiohttp.ClientSession, **changes: str | None
) -> TwilioAdapter:
    """Return an adapter whose token has just been replaced."""
    until = datetime.now(UTC) + timedelta(days=1)
    credentials = {
        "account_sid": ACCOUNT,
        "auth_token": "new",
        "previous_auth_token": "old",
        "previous_auth_token_until": until.isoformat(),
        **changes,
    }
    adapter = TwilioAdapter(
        {key: value for key, value in credentials.items() if value is not None},
        session=session,
        run_blocking=asyncio.to_thread,
    )
    await adapter.prepare()
    return adapter


def accepts(adapter: TwilioAdapter, token: str) -> bool:
    """Say whether an adapter takes what a token signed, as Twilio's SDK signs it."""
    signature = RequestValidator(token).compute_signature(
        HOOK, {**STATUS, "AccountSid": ACCOUNT}
    )
    request = callback(STATUS, token=token)
    assert request.headers["x-twilio-signature"] == signature
    try:
        adapter.verify(request)
    except CallbackRejectedError:
        return False
    return True


async def test_replaced_token_counts_for_a_day(
    session: aiohttp.ClientSession, freezer: FrozenDateTimeFactory
) -> None:
    """What the old token signed is on its way for a day at most, and no third one."""
    adapter = await in_rotation(session)
    for hours in (0, 12, 11):
        freezer.tick(timedelta(hours=hours))
        assert accepts(adapter, "old")
        assert not accepts(adapter, "older")
        assert not adapter.has_retired_secrets
    freezer.tick(timedelta(hours=1))
    assert adapter.has_retired_secrets
    assert not accepts(adapter, "old")
    assert accepts(adapter, "new")


async def test_new_token_ends_the_old_one(session: aiohttp.ClientSession) -> None:
    """Once the new token has signed, only a thief would use the old one."""
    adapter = await in_rotation(session)
    assert accepts(adapter, "old")
    assert accepts(adapter, "new")
    assert adapter.has_retired_secrets
    assert not accepts(adapter, "old")
    assert accepts(adapter, "new")


async def test_forgery_does_not_end_the_old_token(
    session: aiohttp.ClientSession,
) -> None:
    """A callback for another account ends nothing, nor does one that was cut off."""
    adapter = await in_rotation(session)
    whole = callback(STATUS, token="new")
    for request in (
        callback(STATUS, token="new", account="AC0"),
        replace(whole, truncated=True),
    ):
        with pytest.raises(CallbackRejectedError):
            adapter.verify(request)
    assert not adapter.has_retired_secrets
    assert accepts(adapter, "old")


@pytest.mark.parametrize(
    "until",
    [
        None,
        "",
        "tomorrow",
        (datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
        (datetime.now(UTC) + timedelta(days=2)).isoformat(),
        (datetime.now() + timedelta(hours=1)).isoformat(),  # noqa: DTZ005  # without a zone
    ],
    ids=["missing", "empty", "word", "over", "too far", "no zone"],
)
async def test_replaced_token_without_a_good_end(
    session: aiohttp.ClientSession, until: str | None
) -> None:
    """Each doubt about the end of a replaced token is one: it may have leaked."""
    adapter = await in_rotation(session, previous_auth_token_until=until)
    assert adapter.has_retired_secrets
    assert not accepts(adapter, "old")
    assert accepts(adapter, "new")


@pytest.mark.parametrize("back", [timedelta(minutes=5), timedelta(days=400)])
async def test_clock_that_is_set_back_gives_no_more_time(
    session: aiohttp.ClientSession, freezer: FrozenDateTimeFactory, back: timedelta
) -> None:
    """Neither during the day nor after it does the old token live again."""
    adapter = await in_rotation(session)
    freezer.tick(timedelta(days=1))
    assert not accepts(adapter, "old")
    freezer.tick(-back)
    assert not accepts(adapter, "old")


async def test_replaced_token_counts_by_a_steady_clock(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that stands still does not keep the old token alive within a run."""
    now = 1000.0
    monkeypatch.setattr(base, "_monotonic", lambda: now)
    soon = datetime.now(UTC) + timedelta(hours=2)
    adapter = await in_rotation(session, previous_auth_token_until=soon.isoformat())
    now += timedelta(hours=1).total_seconds()
    assert accepts(adapter, "old")
    now += timedelta(hours=1).total_seconds()
    assert not accepts(adapter, "old")
    assert adapter.has_retired_secrets


async def test_no_rotation(session: aiohttp.ClientSession) -> None:
    """Who never replaced a token has nothing to retire."""
    adapter = await in_rotation(
        session, previous_auth_token=None, previous_auth_token_until=None
    )
    assert accepts(adapter, "new")
    assert not adapter.has_retired_secrets
    assert not accepts(adapter, "old")


# Callbacks


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [
        ({"MessageStatus": "queued"}, DeliveryStatus.QUEUED, None),
        ({"MessageStatus": "sending"}, DeliveryStatus.QUEUED, None),
        ({"MessageStatus": "sent", "ErrorCode": ""}, DeliveryStatus.SENT, None),
        ({"MessageStatus": "read"}, DeliveryStatus.DELIVERED, None),
        ({"MessageStatus": "canceled"}, DeliveryStatus.CANCELED, None),
        ({"MessageStatus": "received"}, DeliveryStatus.UNKNOWN, None),
        ({"MessageStatus": "news"}, DeliveryStatus.UNKNOWN, None),
        ({"MessageStatus": "failed"}, DeliveryStatus.FAILED, RejectReason.OTHER),
        (
            {"MessageStatus": "undelivered", "ErrorCode": "30003"},
            DeliveryStatus.UNDELIVERED,
            RejectReason.UNREACHABLE,
        ),
        (
            {"MessageStatus": "failed", "ErrorCode": "30001"},
            DeliveryStatus.FAILED,
            RejectReason.OTHER,
        ),
        (
            {"MessageStatus": "failed", "ErrorCode": "99999"},
            DeliveryStatus.FAILED,
            RejectReason.OTHER,
        ),
    ],
)
def test_status_callbacks(
    told: dict[str, str],
    status: DeliveryStatus,
    reason: RejectReason | None,
    signer: TwilioAdapter,
) -> None:
    """Each status and code has its word."""
    event = signer.parse(callback(STATUS | told, f"{HOOK}?m=ours"))
    assert event == DeliveryReceipt(
        provider_id="SM1",
        status=status,
        message_id="ours",
        reason=reason,
        error_code=told.get("ErrorCode") or None,
    )
    assert signer.acknowledge(event).status == 204


def test_status_callback_without_our_id(signer: TwilioAdapter) -> None:
    """A message that was not sent by us has no id of ours."""
    for url in (HOOK, f"{HOOK}?m="):
        event = signer.parse(callback(STATUS, url))
        assert isinstance(event, DeliveryReceipt)
        assert event.message_id is None


def test_inbound_callback(signer: TwilioAdapter) -> None:
    """Pictures, segments and a sender that is no number are read."""
    media = {
        "NumMedia": "2",
        "MediaUrl0": "https://api.twilio.com/a",
        "MediaContentType0": "image/png",
        "MediaUrl1": "https://api.twilio.com/b",
        "MediaContentType1": "text/vcard",
    }
    fields = INBOUND | media | {"From": "MyBank", "NumSegments": "3", "Body": "é\r\n"}
    event = signer.parse(callback(fields))
    assert isinstance(event, InboundMessage)
    assert (event.message_id, event.sender, event.text) == ("SM2", "MyBank", "é\r\n")
    assert event.segments == 3
    assert [(each.url[-1], each.content_type) for each in event.media] == [
        ("a", "image/png"),
        ("b", "text/vcard"),
    ]
    said = signer.acknowledge(event)
    assert (said.status, said.content_type) == (200, "text/xml")
    assert said.body.endswith("<Response/>")


@pytest.mark.parametrize(
    ("kind", "wish"),
    [
        ("STOP", Wish.STOP),
        ("start", Wish.START),
        ("HELP", None),
        ("", None),
    ],
)
def test_what_twilio_understands_of_a_text(
    kind: str, wish: Wish | None, signer: TwilioAdapter
) -> None:
    """Advanced Opt-Out knows words of its customer's own."""
    event = signer.parse(callback(INBOUND | {"OptOutType": kind, "Body": "Arretez"}))
    assert isinstance(event, InboundMessage)
    assert event.wish is wish


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"CallSid": "CA1", "CallStatus": "", "From": "+1", "To": "+1"},
        {"MessageStatus": "sent"},
        {"MessageSid": "", "MessageStatus": "sent"},
        {"MessageSid": "SM1", "MessageStatus": ""},
        {name: value for name, value in INBOUND.items() if name != "From"},
    ],
)
def test_unreadable(fields: dict[str, str], signer: TwilioAdapter) -> None:
    """What is authentic and makes no sense says so."""
    request = callback(fields)
    signer.verify(request)
    with pytest.raises(CallbackUnreadableError):
        signer.parse(request)


@pytest.mark.parametrize(
    ("fields", "segments"),
    [
        ({}, None),
        ({"NumSegments": ""}, None),
        ({"NumSegments": "many"}, None),
        ({"NumSegments": "-1"}, None),
        ({"NumSegments": "9" * 5000}, None),
        ({"NumSegments": "2", "NumMedia": "x"}, 2),
    ],
)
def test_inbound_without_what_is_optional(
    fields: dict[str, str], segments: int | None, signer: TwilioAdapter
) -> None:
    """A picture has no text, and a count that is none is not known."""
    bare = {name: value for name, value in INBOUND.items() if name != "Body"}
    media = {"MediaUrl0": "https://api.twilio.com/a", "MediaUrl1": ""}
    request = callback(bare | media | fields)
    signer.verify(request)
    event = signer.parse(request)
    assert isinstance(event, InboundMessage)
    assert (event.text, event.segments) == ("", segments)
    assert [(each.url, each.content_type) for each in event.media] == [
        ("https://api.twilio.com/a", None)
    ]


@pytest.mark.parametrize("name", ["MessageSid", "SmsMessageSid", "SmsSid"])
def test_older_names(name: str, signer: TwilioAdapter) -> None:
    """A callback may use the names of before, for messages and statuses."""
    parties = {"AccountSid": ACCOUNT, "From": "+33612345678", "To": NUMBER.number}
    event = signer.parse(callback(parties | {name: "SM7", "SmsStatus": "received"}))
    assert isinstance(event, InboundMessage)
    assert event.message_id == "SM7"
    event = signer.parse(callback(parties | {name: "SM7", "SmsStatus": "delivered"}))
    assert event == DeliveryReceipt(provider_id="SM7", status=DeliveryStatus.DELIVERED)


def test_inbound_is_dated_by_the_provider(signer: TwilioAdapter) -> None:
    """A callback tells no time: it is the provider's, as far as that is known."""
    event = signer.parse(callback(INBOUND))
    assert isinstance(event, InboundMessage)
    assert abs(event.received_at - datetime.now(UTC)) < timedelta(seconds=5)
    signer.note_date("Sat, 21 Nov 2026 10:00:00 GMT")
    event = signer.parse(callback(INBOUND))
    assert isinstance(event, InboundMessage)
    there = datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert abs(event.received_at - there) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("+33612345678", "+33612345678"),
        ("whatsapp:+33612345678", "+33612345678"),
        ("WhatsApp: +33 6 12-34 (56) 78", "+33612345678"),
        ("rcs:+33612345678", "+33612345678"),
        ("\u202a+33612345678\u202c", "+33612345678"),
        ("messenger:1234567890", "messenger:1234567890"),
        ("MyBank", "MyBank"),
        ("36180", "36180"),
        ("", ""),
    ],
)
def test_channels(address: str, plain: str, signer: TwilioAdapter) -> None:
    """Whatever channel an address names, a number is E.164; the rest stays."""
    event = signer.parse(callback(INBOUND | {"From": address, "To": address}))
    assert isinstance(event, InboundMessage)
    assert (event.sender, event.number) == (plain, plain or None)


@pytest.mark.parametrize(
    "extra",
    [
        {f"Field{index}": "x" for index in range(1000)},
        {"Note": "é" * 10_000},
    ],
)
def test_a_long_form(extra: dict[str, str], signer: TwilioAdapter) -> None:
    """What is signed is taken, however many fields it has, up to the size limit."""
    request = callback(INBOUND | extra)
    assert len(request.body) > 10_000
    signer.verify(request)
    assert isinstance(signer.parse(request), InboundMessage)


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe", b"AccountSid=%FF\xff", "\u00e9=\ud83d".encode("utf-8", "ignore")],
)
def test_a_body_that_is_no_text(body: bytes, signer: TwilioAdapter) -> None:
    """Bytes of a stranger's are refused in no other way than a forgery is."""
    request = CallbackRequest(
        method="POST", url=HOOK, headers={"x-twilio-signature": "é"}, body=body
    )
    with pytest.raises(CallbackRejectedError):
        signer.verify(request)
    with suppress(CallbackUnreadableError):
        signer.parse(request)


# Sending


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (HOOK, f"{HOOK}?m=id+1"),
        (f"{HOOK}?a=b", f"{HOOK}?a=b&m=id+1"),
        (f"{HOOK}?a=b#rc=3&rp=5xx", f"{HOOK}?a=b&m=id+1#rc=3&rp=5xx"),
    ],
)
async def test_callback_url(
    url: str,
    expected: str,
    adapter: TwilioAdapter,
    harness: Harness,
    number: PhoneNumber,
) -> None:
    """Our id goes with the message, and comes back with its callbacks."""
    await adapter.send(number, outbound(), url)
    assert harness.provider.messages[0].callback_url == expected
    assert dict(parse_qsl(expected.partition("#")[0].partition("?")[2]))["m"] == "id 1"


async def test_media(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Pictures are sent, in their order and without a text too."""
    media = tuple(f"https://example.com/{name}.png" for name in "ba")
    sent = await adapter.send(number, outbound("", media=media), None)
    (message,) = harness.provider.messages
    assert sent.provider_id == message.id
    assert tuple(each.url for each in message.media) == media


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (outbound(""), "21602"),
        (outbound("x" * 1601), "21617"),
        (outbound(media=("https://a.example/",) * 11), "21623"),
        (outbound(media=("file:///etc/passwd",)), "21620"),
        (outbound("half an \ud83d"), None),
    ],
)
def test_check(
    message: OutboundMessage, code: str | None, signer: TwilioAdapter
) -> None:
    """What Twilio would refuse is refused here, with its own code."""
    with pytest.raises(MessageRejectedError) as caught:
        signer.check(message)
    assert caught.value.provider_code == code


async def test_find_sent_is_lenient_only_where_twilio_changes_a_text(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Line ends and the trial's prefix do not hide a message; the past does."""
    text = "One\nTwo"
    wanted = []
    since = datetime.now(UTC)
    for body in ("One\r\nTwo", TRIAL_PREFIX + text, "One\nTwo\n", "One\nThree"):
        sent = await adapter.send(number, outbound(body), None)
        wanted.append(sent.provider_id)
    found = await adapter.find_sent(number, outbound(text), since)
    assert {each.provider_id for each in found if each.exact} == set(wanted[:3])
    assert [each.provider_id for each in found if not each.exact] == wanted[3:]
    later = datetime.now(UTC) + timedelta(seconds=2)
    assert not await adapter.find_sent(number, outbound(text), later)
    # What this number received from itself, so to speak, was never sent.
    harness.provider.receive(
        number.number, text, number=Harness.recipient, callback=False
    )
    again = await adapter.find_sent(number, outbound(text), since)
    assert len(again) == 4


async def test_find_sent_reads_as_far_as_it_must(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """More than a page may be recent; of what is old no more than a page is read."""
    ends: Any = {"sender": Harness.recipient, "outbound": True, "text": "Hello"}
    now = datetime.now(UTC)
    harness.provider.history(500, newest=now - timedelta(hours=1), **ends)
    recent = harness.provider.history(
        60, newest=now, every=timedelta(seconds=1), **ends
    )
    found = await adapter.find_sent(number, outbound(), now - timedelta(minutes=5))
    assert {each.provider_id for each in found} == set(recent)
    assert len(harness.sim.requests) == 2


# Errors


def test_every_code_is_known() -> None:
    """The codes of the "Error and Warning Dictionary" that concern us are there."""
    expected = {code: kind for kind, codes in CODES.items() for code in codes.split()}
    actual = {code: rule.error for code, rule in TwilioAdapter.error_rules.items()}
    assert actual == expected


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "", AuthenticationError),
        (401, '{"code": 70051}', MissingRightsError),
        (403, "<html>", MissingRightsError),
        (403, '{"code": 20005}', AccountSuspendedError),
        (404, "[]", NotFoundError),
        (408, "null", ProviderUnavailableError),
        (429, '{"code": "x"}', RateLimitedError),
        (400, '{"code": 20429}', RateLimitedError),
        (503, '{"code": 20503}', ProviderUnavailableError),
        (500, '{"code": 29999}', ProviderUnavailableError),
        (400, "", InvalidResponseError),
        (400, '{"code": 29999}', InvalidResponseError),
        (302, "", InvalidResponseError),
        (
            400,
            '{"type": "t", "title": "t", "status": 400, "code": 20404}',
            NotFoundError,
        ),
    ],
)
async def test_errors(
    status: int,
    body: str,
    kind: type[Exception],
    adapter: TwilioAdapter,
    harness: Harness,
) -> None:
    """The code decides, and the HTTP status where there is none that is known."""
    harness.sim.faults.add("garbage", provider="twilio", status=status, body=body)
    with pytest.raises(kind) as caught:
        await adapter.get_balance(NUMBER)
    assert type(caught.value) is kind


async def test_no_such_account(adapter: TwilioAdapter, harness: Harness) -> None:
    """Where the account is not found, the credentials are not right."""
    harness.sim.faults.add("garbage", provider="twilio", status=404, body="{}")
    with pytest.raises(AuthenticationError):
        await adapter.get_account()


async def test_unknown_refusal(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """An unknown code is a refusal; an answer that is not Twilio's is none."""
    faults = harness.sim.faults
    faults.add("garbage", status=400, body='{"code": 29999}', times=1)
    with pytest.raises(MessageRejectedError) as caught:
        await adapter.send(number, outbound(), None)
    assert caught.value.provider_code == "29999"
    assert caught.value.reason is RejectReason.OTHER
    faults.add("garbage", status=400, body="<html>Bad request", times=1)
    with pytest.raises(SendOutcomeUnknownError):
        await adapter.send(number, outbound(), None)


@pytest.mark.parametrize("retry_after", ["tomorrow", "-1", "²"])
async def test_odd_pause(
    retry_after: str, adapter: TwilioAdapter, harness: Harness
) -> None:
    """A pause that is neither a number of seconds nor a date is none."""
    fault = harness.sim.faults.add("rate_limited", provider="twilio")
    fault.retry_after = retry_after  # type: ignore[assignment]
    with pytest.raises(RateLimitedError) as caught:
        await adapter.get_balance(NUMBER)
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    "body",
    [
        {"balance": "NaN", "currency": "USD"},
        {"balance": "much", "currency": "USD"},
        {"balance": "1", "currency": None},
        {"balance": 1, "currency": "USD"},
    ],
)
async def test_odd_balance(
    body: object, adapter: TwilioAdapter, harness: Harness
) -> None:
    """A balance that is no amount makes no sense."""
    harness.sim.faults.add("garbage", provider="twilio", body=json.dumps(body))
    with pytest.raises(InvalidResponseError):
        await adapter.get_balance(NUMBER)


@pytest.mark.parametrize("field", ["sid", "status"])
async def test_odd_receipt(
    field: str, adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A message without what every message has makes no sense."""
    record = {
        "sid": "SM1",
        "status": "sent",
        "date_updated": "Sat, 21 Nov 2026 10:00:00 +0000",
    }
    faults = harness.sim.faults
    faults.add("garbage", provider="twilio", body=json.dumps(record), times=1)
    assert (await adapter.fetch_receipt(number, "SM1")).at == datetime(
        2026, 11, 21, 10, tzinfo=UTC
    )
    odd = {"date_updated": "soon", "price": "abc", "price_unit": 7, "error_code": "?"}
    faults.add("garbage", provider="twilio", body=json.dumps(record | odd), times=1)
    receipt = await adapter.fetch_receipt(number, "SM1")
    assert (receipt.status, receipt.at, receipt.cost) == (
        DeliveryStatus.SENT,
        None,
        None,
    )
    body = json.dumps(record | {field: None})
    faults.add("garbage", provider="twilio", body=body, times=1)
    with pytest.raises(InvalidResponseError):
        await adapter.fetch_receipt(number, "SM1")


async def test_link_to_another_host(adapter: TwilioAdapter, harness: Harness) -> None:
    """The credentials go to no other host, whatever an answer says."""
    meta = {"key": "numbers", "next_page_url": "https://evil.example/"}
    page = {"numbers": [], "meta": meta}
    harness.sim.faults.add("garbage", provider="twilio", body=json.dumps(page))
    with pytest.raises(InvalidResponseError):
        await adapter.list_numbers()
    assert len(harness.sim.requests) == 1


# History and callback URLs


async def history(
    adapter: TwilioAdapter, number: PhoneNumber
) -> list[InboundMessage | SetAside]:
    """Read what came within the last hour."""
    since = datetime.now(UTC) - timedelta(hours=1)
    batches = adapter.fetch_inbound(number, since, nothing_known)
    return [each async for batch in batches for each in batch]


async def test_still_receiving(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A message that is not there as a whole is set aside with what there is."""
    record = {"status": "receiving", "body": None}
    sid = harness.provider.receive("+33612345678", "Hi", callback=False, record=record)
    (found,) = await history(adapter, number)
    assert isinstance(found, SetAside)
    assert (found.record_id, found.reason) == (sid, SetAsideReason.INCOMPLETE)
    assert found.message is not None
    assert (found.message.text, found.message.received_at) == ("", found.at)
    assert await adapter.fetch_inbound_message(number, sid) == found
    harness.provider.find(sid).record = {}
    (whole,) = await history(adapter, number)
    assert isinstance(whole, InboundMessage)
    assert whole.text == "Hi"


async def test_files_that_are_not_there_yet(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A message whose files are not all listed, or not legible, is not complete."""
    media = [Media(), Media("image/jpeg")]
    sid = harness.provider.receive("+33612345678", "Two", media, callback=False)
    message = harness.provider.find(sid)
    held = message.media_sids.pop()
    (found,) = await history(adapter, number)
    assert isinstance(found, SetAside)
    assert found.reason is SetAsideReason.INCOMPLETE
    assert found.message is not None
    assert len(found.message.media) == 1
    message.media_sids.append(held)
    good = {"uri": "/2010-04-01/x.json", "sid": "ME1", "content_type": None}
    body = json.dumps({"media_list": [good, {"uri": None}, None]})
    harness.sim.faults.add("garbage", path="Media", times=1, body=body)
    (found,) = await history(adapter, number)
    assert isinstance(found, SetAside)
    (whole,) = await history(adapter, number)
    assert isinstance(whole, InboundMessage)
    assert len(whole.media) == 2


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_files_that_may_not_be_seen(
    status: int, adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Only credentials that have become wrong stop the reading of messages."""
    harness.provider.receive("+33612345678", "One", callback=False)
    harness.provider.receive("+33612345678", "Two", [Media()], callback=False)
    harness.sim.faults.add("garbage", path="Media", status=status, body="{}")
    if status == 401:
        with pytest.raises(AuthenticationError):
            await history(adapter, number)
        return
    one, two = await history(adapter, number)
    assert isinstance(one, InboundMessage)
    assert isinstance(two, SetAside)


async def test_records_without_a_name(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """What has no id is named by what it says; what we sent, or is old, is left out."""
    harness.provider.receive("+33612345678", "Good", callback=False)
    harness.sim.faults.add(
        "garbage",
        path="Messages",
        times=2,
        body=json.dumps(
            {
                "messages": [
                    None,
                    {"sid": None, "direction": "inbound"},
                    {"sid": "SM1", "direction": "outbound-api"},
                    {"sid": "SM2", "date_sent": "Sat, 21 Nov 2020 10:00:00 +0000"},
                    {"sid": "SM3", "direction": "inbound", "date_sent": "never"},
                ]
            }
        ),
    )
    found = await history(adapter, number)
    assert found == await history(adapter, number)
    names = [each.record_id for each in found if isinstance(each, SetAside)]
    assert len(names) == len(set(names)) == 3
    assert "SM3" in names
    nameless = next(name for name in names if name != "SM3")
    with pytest.raises(InvalidResponseError):
        await adapter.fetch_inbound_message(number, nameless)
    assert len(await history(adapter, number)) == 1


async def test_what_was_sent_is_not_inbound(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A message of ours is not found among those written to us."""
    sent = await adapter.send(number, outbound(), None)
    with pytest.raises(NotFoundError):
        await adapter.fetch_inbound_message(number, sent.provider_id)


async def test_messages_of_channels(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A record tells numbers as a callback does, without the channel."""
    record = {"from": "whatsapp:+33612345678", "to": f"whatsapp:{number.number}"}
    harness.provider.receive("x", "Hi", callback=False, record=record)
    (found,) = await history(adapter, number)
    assert isinstance(found, InboundMessage)
    assert (found.sender, found.number) == ("+33612345678", number.number)


async def test_numbers_that_cannot_be_read(
    adapter: TwilioAdapter,
    harness: Harness,
    number: PhoneNumber,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One number's record stops no other, and what a number can do is optional."""
    numbers = harness.provider.numbers
    numbers[harness.provider.SMS_ONLY_NUMBER].record = {"phone_number": None}
    numbers[number.number].record = {"capabilities": None}
    listed = await adapter.list_numbers()
    assert [each.number for each in listed] == [number.number]
    assert "cannot be read" in caplog.text
    assert number.number not in caplog.text
    assert await adapter.get_account()
    body = json.dumps({"incoming_phone_numbers": [None, 7]})
    harness.sim.faults.add("garbage", path="IncomingPhone", body=body)
    with pytest.raises(InvalidResponseError):
        await adapter.list_numbers()


@pytest.mark.parametrize(("fault", "tries"), [("dropped", 2), ("server_error", 1)])
async def test_urls_over_a_connection_that_ended(
    *,
    adapter: TwilioAdapter,
    harness: Harness,
    number: PhoneNumber,
    fault: str,
    tries: int,
) -> None:
    """URLs are set once more where a connection kept open turns out to be closed."""
    sim, urls = harness.sim, CallbackUrls(inbound="https://a.example/hook")
    sim.faults.add(fault, method="POST", path="/IncomingPhoneNumbers/", times=1)
    if tries == 1:
        with pytest.raises(ProviderUnavailableError):
            await adapter.set_callbacks(number, urls)
    else:
        await adapter.set_callbacks(number, urls)
    posts = [each for each in sim.requests if each.method == "POST"]
    assert len(posts) == tries
    assert (await adapter.get_callbacks(number) == urls) == (tries == 2)


async def test_capabilities_in_capitals(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A clear no is one however it is spelled, as other lists of Twilio's do."""
    record = {"capabilities": {"SMS": False, "MMS": True}}
    harness.provider.numbers[number.number].record = record
    listed = await adapter.list_numbers()
    assert number.number not in [each.number for each in listed]


async def test_find_sent_with_records_that_cannot_be_read(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """What has a name and may be ours counts; what has none, is old or inbound not."""
    body = json.dumps(
        {
            "messages": [
                None,
                {"sid": "SM1", "direction": "outbound-api"},
                {"sid": "SM2", "direction": "inbound"},
                {"sid": "SM3", "date_created": "Sat, 21 Nov 2020 10:00:00 +0000"},
            ]
        }
    )
    harness.sim.faults.add("garbage", path="Messages", body=body)
    found = await adapter.find_sent(number, outbound(), datetime.now(UTC))
    assert [(each.provider_id, each.exact) for each in found] == [("SM1", False)]
    harness.sim.faults.clear()
    page = json.dumps({"messages": [None], "next_page_uri": "/2010-04-01/x"})
    harness.sim.faults.add("garbage", path="Messages", times=1, body=page)
    with pytest.raises(NotFoundError):
        await adapter.find_sent(number, outbound(), datetime.now(UTC))


async def test_callbacks_beside_a_message_that_cannot_be_read(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """The URLs are told even if the newest message tells nothing of a service."""
    harness.provider.receive(
        "+33612345678", "x", callback=False, record={"direction": None}
    )
    assert await adapter.get_callbacks(number) == CallbackUrls()


async def test_pages(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A long absence is caught up on page by page, nothing left out.

    No page is so long that reading it would keep the home from all else, and no batch
    so long that taking it would.
    """
    now = datetime.now(UTC)
    harness.provider.history(2150, newest=now, every=timedelta(seconds=1))
    since = now - timedelta(days=1)
    batches = [batch async for batch in adapter.fetch_inbound(number, since, _none)]
    assert [message.text for batch in batches for message in batch] == [
        f"Old message {index}" for index in range(2150)
    ]
    assert [len(batch) for batch in batches] == [*[100] * 21, 50]
    assert len(harness.sim.requests) == len(batches)


async def test_a_long_absence_takes_no_tasks(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Messages with which no file came are taken as they are listed."""
    now = datetime.now(UTC)
    harness.provider.history(50, newest=now, every=timedelta(seconds=1))
    harness.provider.receive("+33612345678", "Look", [Media()], callback=False)
    since = now - timedelta(days=1)
    with patch.object(adapter, "_with_files", wraps=adapter._with_files) as asked:
        (batch,) = [each async for each in adapter.fetch_inbound(number, since, _none)]
    assert len(batch) == 51
    asked.assert_called_once()


async def test_media_of_what_is_new(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Pictures are listed for messages that are new, as a callback names them."""
    receive = harness.provider.receive
    old = receive("+33612345678", "Old", [Media()], callback=False)
    new = receive("+33612345678", "New", [Media(), Media("text/plain")], callback=False)
    # From one number of the account to another there is an outbound copy too.
    await adapter.send(harness.numbers[1], outbound(recipient=number.number), None)
    harness.sim.requests.clear()

    async def known(ids: Sequence[str]) -> set[str]:
        assert set(ids) == {old, new}
        return {old}

    since = datetime.now(UTC) - timedelta(minutes=1)
    batches = [each async for each in adapter.fetch_inbound(number, since, known)]
    ((message,),) = batches
    assert message.message_id == new
    sids = harness.provider.find(new).media_sids
    urls = [
        f"{harness.sim.url}/2010-04-01/Accounts/{harness.account}/Messages/{new}"
        f"/Media/{sid}"
        for sid in sids
    ]
    assert [(each.url, each.content_type) for each in message.media] == [
        (urls[0], "image/png"),
        (urls[1], "text/plain"),
    ]
    assert len(harness.sim.requests) == 2


async def test_second_resolution(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Twilio knows whole seconds: what came in the same second is not lost."""
    second = datetime.now(UTC).replace(microsecond=0)
    harness.provider.receive("+33612345678", "Just", callback=False, at=second)
    since = second.replace(microsecond=900_000)
    batches = [each async for each in adapter.fetch_inbound(number, since, _none)]
    assert [message.text for message in batches[0]] == ["Just"]


async def test_callbacks_overruled(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """An application's URLs win over the number's."""
    line = harness.provider.numbers[number.number]
    line.sms_url, line.sms_application_sid = HOOK, "AP1"
    urls = await adapter.get_callbacks(number)
    assert urls == CallbackUrls(inbound=HOOK, overruled_by="application")


async def test_callbacks_perhaps_overruled(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A Messaging Service's URL may win, and only the messages tell of it."""
    harness.provider.receive("+33612345678", "Hello", callback=False)
    assert await adapter.get_callbacks(number) == CallbackUrls()
    [message] = harness.provider.inbound
    message.service_sid = harness.provider.MESSAGING_SERVICE_SID
    urls = await adapter.get_callbacks(number)
    assert urls == CallbackUrls(perhaps_overruled_by="messaging_service")


async def test_callbacks_without_a_look_at_messages(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A key that may not read messages still reads the URL."""
    harness.provider.numbers[number.number].sms_url = HOOK
    body = json.dumps({"code": 70051, "message": "", "status": 403})
    harness.sim.faults.add("garbage", path="/Messages", body=body, status=403)
    assert await adapter.get_callbacks(number) == CallbackUrls(inbound=HOOK)


async def test_callbacks_are_posted(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Who had asked for GET gets POST."""
    line = harness.provider.numbers[number.number]
    line.sms_method = "GET"
    await adapter.set_callbacks(number, CallbackUrls(inbound=HOOK))
    assert (line.sms_url, line.sms_method) == (HOOK, "POST")


async def test_number_of_another_account(
    adapter: TwilioAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A number that merely looks like ours is not ours."""
    stranger = replace(number, number="+15005550099")
    with pytest.raises(NotFoundError):
        await adapter.get_callbacks(stranger)
    record = {"sid": "PN1", "phone_number": "+150055500060", "sms_url": ""}
    body = json.dumps({"incoming_phone_numbers": [record], "next_page_uri": None})
    harness.sim.faults.add("garbage", provider="twilio", body=body)
    with pytest.raises(NotFoundError):
        await adapter.set_callbacks(number, CallbackUrls())


# The SDK and its HTTP


async def test_built_once(harness: Harness, session: aiohttp.ClientSession) -> None:
    """However many ask at once, the SDK is loaded once."""
    threads: list[Callable[..., object]] = []

    async def run_blocking[T](target: Callable[..., T], *args: Any) -> T:
        threads.append(target)
        return await asyncio.to_thread(target, *args)

    adapter = TwilioAdapter(
        harness.credentials, session=session, run_blocking=run_blocking
    )
    await asyncio.gather(*(adapter.get_balance(NUMBER) for _ in range(5)))
    assert threads.count(load) == 1
    assert adapter._sdk
    # Where the SDK has asynchronous verbs, nothing else leaves the loop.
    is_async = adapter._sdk.rest.http_client.is_async
    assert len(threads) == (1 if is_async else 6)


async def test_environment(
    harness: Harness,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Variables meant for other programs change nothing."""
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    adapter = TwilioAdapter(
        harness.credentials, session=session, run_blocking=asyncio.to_thread
    )
    assert await adapter.get_balance(NUMBER) == harness.balance


async def test_log(
    adapter: TwilioAdapter,
    harness: Harness,
    number: PhoneNumber,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The SDK logs numbers and texts; with our HTTP it does not get to it."""
    caplog.set_level(logging.INFO)
    await adapter.send(number, outbound("A secret"), None)
    assert "secret" not in caplog.text
    assert Harness.recipient.lstrip("+") not in caplog.text


class _Old:
    """A resource of an SDK without asynchronous verbs."""

    def fetch(self, *, word: str) -> str:
        return f"blocking {word}"


class _New(_Old):
    """A resource of one that has both."""

    async def fetch_async(self, *, word: str) -> str:
        return f"async {word}"


async def test_generations() -> None:
    """The asynchronous verb is used where there is one."""
    run = asyncio.to_thread
    assert await use(run, _Old(), "fetch", {"word": "x"}) == "blocking x"
    assert await use(run, _New(), "fetch", {"word": "x"}) == "async x"


async def test_which_generation_is_installed(
    harness: Harness, session: aiohttp.ClientSession
) -> None:
    """The newer SDK leaves the executor alone, which is known once it is loaded."""
    adapter = TwilioAdapter(
        harness.credentials, session=session, run_blocking=asyncio.to_thread
    )
    assert not adapter.is_asynchronous
    await adapter.prepare()
    major = int(version("twilio").partition(".")[0])
    assert adapter.is_asynchronous is (major >= 8)


async def _request(
    http: AsyncHttp | BlockingHttp, method: str, path: str, **arguments: Any
) -> Any:
    credentials = {"headers": {"Accept": "application/json"}, "auth": ("AC1", "x")}
    arguments = credentials | arguments
    url = ORIGIN + path if path.startswith("/") else path
    if isinstance(http, AsyncHttp):
        return await http.request(method, url, **arguments)
    return await asyncio.to_thread(http.request, method, url, **arguments)


@pytest.fixture(params=["async", "blocking"])
def connect(
    request: pytest.FixtureRequest, session: aiohttp.ClientSession
) -> Callable[[str], AsyncHttp | BlockingHttp]:
    """Return a way to either client, whatever the SDK's generation."""
    if request.param == "async":
        return lambda origin: AsyncHttp(session, origin)
    return BlockingHttp


class TestHttp:
    """Both clients do the same."""

    async def test_success(
        self, sim: Simulator, connect: Callable[[str], AsyncHttp | BlockingHttp]
    ) -> None:
        """Parameters and forms arrive; the answer comes back with its headers."""
        base = f"/2010-04-01/Accounts/{sim.twilio.ACCOUNT_SID}"
        auth = (sim.twilio.ACCOUNT_SID, sim.twilio.auth_token)
        form = {"From": sim.twilio.NUMBER, "To": Harness.recipient, "Body": "é&+\n"}
        files = {"MediaUrl": ["https://a.example/1", "https://a.example/2"]}
        http = connect(sim.url)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = await _request(
            http,
            "POST",
            f"{base}/Messages.json",
            data=form | files,
            headers=headers,
            auth=auth,
        )
        assert reply.status_code == 201
        assert reply.headers["content-type"].startswith("application/json")
        (message,) = sim.twilio.messages
        assert (message.to, message.text) == (Harness.recipient, "é&+\n")
        assert len(message.media) == 2
        found = await _request(
            http,
            "GET",
            f"{base}/Messages.json",
            params={"To": Harness.recipient, "DateSent>": "2020-01-01T00:00:00Z"},
            auth=auth,
        )
        assert json.loads(found.text)["messages"] is not None
        assert sim.requests[-1].query["To"] == Harness.recipient

    async def test_refusal(
        self, sim: Simulator, connect: Callable[[str], AsyncHttp | BlockingHttp]
    ) -> None:
        """What is no success is a refusal, with its code and pause."""
        sim.faults.add("rate_limited", retry_after=3)
        with pytest.raises(Refusal) as caught:
            await _request(connect(sim.url), "GET", "/2010-04-01/Accounts/AC1.json")
        refusal = caught.value
        assert (refusal.status, refusal.code, refusal.retry_after) == (429, "20429", 3)
        assert refusal.request == "GET /2010-04-01/Accounts/AC1.json"

    async def test_redirect(
        self, sim: Simulator, connect: Callable[[str], AsyncHttp | BlockingHttp]
    ) -> None:
        """A redirect is no success, and the credentials do not follow it."""
        async with Simulator() as elsewhere:
            sim.faults.add("redirect", location=f"{elsewhere.url}/2010-04-01/x")
            for method in ("GET", "POST"):
                with pytest.raises(Refusal) as caught:
                    await _request(
                        connect(sim.url), method, "/2010-04-01/Accounts/AC1.json"
                    )
                assert caught.value.status == 307
            assert not elsewhere.requests

    async def test_date(
        self,
        sim: Simulator,
        connect: Callable[[str], AsyncHttp | BlockingHttp],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The date of every answer is passed on."""
        dates: list[str | None] = []
        http = connect(sim.url)
        monkeypatch.setattr(http, "_note_date", dates.append)
        sim.date_header = "Sat, 21 Nov 2026 10:00:00 GMT"
        sim.faults.add("server_error")
        with pytest.raises(Refusal):
            await _request(http, "GET", "/2010-04-01/Accounts/AC1.json")
        assert dates == [sim.date_header]

    async def test_dropped(
        self, sim: Simulator, connect: Callable[[str], AsyncHttp | BlockingHttp]
    ) -> None:
        """What broke half-way may have been processed."""
        sim.faults.add("refused")
        with pytest.raises(ProviderUnavailableError) as caught:
            await _request(connect(sim.url), "POST", "/2010-04-01/Accounts/AC1.json")
        assert caught.value.maybe_processed

    @pytest.mark.parametrize(
        "origin", ["http://127.0.0.1:{port}", "http://no.such.host.invalid"]
    )
    async def test_unreachable(
        self,
        origin: str,
        connect: Callable[[str], AsyncHttp | BlockingHttp],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What never left was not processed."""

        def resolve(host: str, *args: Any, **_: Any) -> Any:
            if host.endswith(".invalid"):
                raise socket.gaierror
            return real(host, *args)

        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(ProviderUnavailableError) as caught:
            await _request(connect(origin.format(port=port)), "POST", "/x")
        assert not caught.value.maybe_processed
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize(
        "url",
        [
            "https://api.twilio.comx.evil.example/",
            "https://evil.example/",
            "https://api.twilio.com.evil.example/",
            "https://monitor.twilio.com@evil.example/",
            "http://monitor.twilio.com/",
        ],
    )
    @pytest.mark.parametrize("origin", [ORIGIN, None])
    async def test_another_host(
        self,
        sim: Simulator,
        connect: Callable[[str], AsyncHttp | BlockingHttp],
        url: str,
        origin: str | None,
    ) -> None:
        """Nobody but Twilio is asked."""
        http = connect(origin or sim.url)
        with pytest.raises(ValueError, match="another host"):
            await _request(http, "GET", url)

    @pytest.mark.parametrize("host", HOSTS)
    async def test_hosts(
        self,
        sim: Simulator,
        connect: Callable[[str], AsyncHttp | BlockingHttp],
        host: str,
    ) -> None:
        """Each of Twilio's hosts is asked itself, unless another origin is set."""
        assert _address(ORIGIN, f"{host}/v1/x?y=1") == f"{host}/v1/x?y=1"
        with pytest.raises(Refusal):
            await _request(connect(sim.url), "GET", f"{host}/v1/Alerts")
        assert sim.requests[-1].path == "/v1/Alerts"


async def _none(ids: Sequence[str]) -> set[str]:
    return set()


@pytest.mark.parametrize("sid", ["SM1", "SM0f-1", "MM_a", "sm0f"])
def test_what_may_be_an_id(sid: str) -> None:
    """Twilio publishes what ids look like, which it may change: any plain word will do."""
    require_sid(sid)


@pytest.mark.parametrize("sid", ["", "SM", "../x", "SM/x", "SM?x", "SM.x", "SMé", "12"])
def test_what_is_no_id(sid: str) -> None:
    """What would lead elsewhere in a path is none."""
    with pytest.raises(NotFoundError):
        require_sid(sid)
