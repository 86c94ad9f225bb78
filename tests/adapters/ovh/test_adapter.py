"""What is peculiar to OVHcloud; what all providers share is in the other suite."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
from pkgutil import resolve_name
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from hypothesis import given, strategies as st
import pytest

from custom_components.virtual_sms.adapters.errors import (
    AccountSuspendedError,
    AuthenticationError,
    CallbackUnreadableError,
    InvalidResponseError,
    MessageRejectedError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
    SendOutcomeUnknownError,
    SmsError,
)
from custom_components.virtual_sms.adapters.models import (
    AuthorizationState,
    AuthorizationStatus,
    CallbackRequest,
    CallbackUrls,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    PhoneNumber,
    RejectReason,
)
from custom_components.virtual_sms.adapters.ovh import errors as ovh_errors
from custom_components.virtual_sms.adapters.ovh.adapter import OvhAdapter
from custom_components.virtual_sms.adapters.ovh.client import build, sign
from custom_components.virtual_sms.adapters.ovh.errors import (
    RefusedError,
    Reply,
    translate,
)
from custom_components.virtual_sms.adapters.ovh.exchange import TIME
from custom_components.virtual_sms.adapters.ovh.records import (
    Outgoing,
    make_receipt,
    tag_of,
    to_e164,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import aiohttp

    from simulator import Simulator
    from simulator.ovh import Ovh

    type Open = Callable[..., OvhAdapter]

RECIPIENT = "+33612345678"
BELL = "https://home.example/api/webhook/secret"


@pytest.fixture
def ovh(sim: Simulator) -> Ovh:
    """Return OVHcloud's side."""
    return sim.ovh


@pytest.fixture
def key() -> str:
    """Name the provider."""
    return "ovh"


@pytest.fixture
def connect(sim: Simulator, session: aiohttp.ClientSession) -> Open:
    """Return a way to build an adapter with some credentials changed."""

    def build(**changes: str) -> OvhAdapter:
        credentials = sim.ovh.credentials | {"api_url": sim.url} | changes
        return OvhAdapter(credentials, session=session, run_blocking=asyncio.to_thread)

    return build


@pytest.fixture
def adapter(connect: Open) -> OvhAdapter:
    """Return an adapter that may do everything."""
    return connect()


@pytest.fixture
def number(ovh: Ovh) -> PhoneNumber:
    """Return the line used."""
    return PhoneNumber(account=ovh.SERVICE, number=ovh.NUMBER)


def outbound(text: str = "Hello", **changes: Any) -> OutboundMessage:
    """Compose a message."""
    values = {
        "message_id": "01J0000000000000000000000A",
        "recipient": RECIPIENT,
        "text": text,
        "created_at": datetime.now(UTC),
    }
    return OutboundMessage(**(values | changes))


def bell(method: str = "GET", **fields: str) -> CallbackRequest:
    """Ring as OVHcloud does: by query, or by form beside a query of ours."""
    if method == "GET":
        return CallbackRequest(method="GET", url=f"{BELL}?{urlencode(fields)}")
    body = urlencode(fields | {"t": "1"}).encode()
    return CallbackRequest(method="POST", url=f"{BELL}?t=1", body=body)


def paths(sim: Simulator, method: str = "GET") -> list[str]:
    """List what was asked of the API, without the question for the time."""
    return [
        each.path
        for each in sim.requests
        if each.method == method and not each.path.endswith("/auth/time")
    ]


async def fetch(
    adapter: OvhAdapter, number: PhoneNumber, *known: str
) -> list[list[InboundMessage]]:
    """Fetch the batches of the last day."""

    async def is_known(ids: Sequence[str]) -> set[str]:
        return set(known)

    since = datetime.now(UTC) - timedelta(days=1)
    return [batch async for batch in adapter.fetch_inbound(number, since, is_known)]


# Configuration


async def test_stray_configuration(
    adapter: OvhAdapter,
    number: PhoneNumber,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the environment nor a file redirects the SDK or stops it."""
    import ovh.config

    stray = {
        "endpoint": "ovh-us",
        "application_key": "stray",
        "application_secret": "stray",
        "consumer_key": "stray",
        "client_id": "stray",
        "client_secret": "stray",
    }
    for name, value in stray.items():
        monkeypatch.setenv(f"OVH_{name.upper()}", value)
    lines = [f"{name}={value}" for name, value in stray.items()]
    sections = ["default", "ovh-eu", "http://127.0.0.1/1.0"]
    text = "\n".join("\n".join([f"[{each}]", *lines]) for each in sections)
    (tmp_path / "ovh.conf").write_text(text)
    monkeypatch.setattr(ovh.config, "CONFIG_PATH", [str(tmp_path / "ovh.conf")])

    assert (await adapter.send(number, outbound(), None)).provider_id


async def test_half_of_an_oauth2_client(
    adapter: OvhAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id without its secret, which the SDK refuses, does not matter either."""
    monkeypatch.setenv("OVH_CLIENT_ID", "stray")
    assert await adapter.list_numbers()


async def test_the_real_address(connect: Open) -> None:
    """Without an address of its own an adapter speaks to OVHcloud in Europe."""
    client = build(connect(api_url="")._access())
    assert sign(client, TIME, 0).url == "https://eu.api.ovh.com/1.0/auth/time"


# The clock


async def test_clock_that_was_set(adapter: OvhAdapter, ovh: Ovh) -> None:
    """A client whose idea of the time has gone wrong is replaced, once."""
    await adapter.get_account()
    ovh.auth.drift = 3600
    assert await adapter.list_numbers()


async def test_clock_that_stays_wrong(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """What the clock is refused for was not processed, and may be tried again."""
    await adapter.get_account()
    body = {"errorCode": "QUERY_TIME_OUT", "message": "Query out of time"}
    refuse(sim, 400, body, "virtualNumbers")
    before = len(sim.requests)
    with pytest.raises(ProviderUnavailableError) as caught:
        await adapter.send(number, outbound(), None)
    assert not caught.value.maybe_processed
    assert caught.value.provider_code == "query_time_out"
    assert [each.path[-5:] for each in list(sim.requests)[before:]] == [
        "/jobs",
        "/time",
        "/jobs",
    ]


async def test_wrong_secret_is_tried_once(connect: Open, sim: Simulator) -> None:
    """A signature that was never right is no matter of the clock."""
    with pytest.raises(AuthenticationError):
        await connect(application_secret="wrong").get_account()
    assert len(paths(sim)) == 1


# Accounts and numbers


async def test_first_account(adapter: OvhAdapter, ovh: Ovh) -> None:
    """Without a choice the first account speaks for the customer."""
    ovh.service.description = "At home"
    account = await adapter.get_account()
    assert (account.id, account.name) == (ovh.SERVICE, "At home")


async def test_no_account(adapter: OvhAdapter, ovh: Ovh) -> None:
    """A customer without an SMS account has no numbers, and that is no error."""
    ovh.services.clear()
    assert (await adapter.get_account()).id == ovh.application_key
    assert await adapter.list_numbers() == []


async def test_key_for_one_account(connect: Open, ovh: Ovh) -> None:
    """A key limited to an account works once that account is named."""
    with pytest.raises(MissingRightsError) as caught:
        await connect(consumer_key=ovh.LIMITED_CONSUMER_KEY).get_account()
    assert caught.value.provider_code == "not_granted_call"
    adapter = connect(
        consumer_key=ovh.LIMITED_CONSUMER_KEY, service_name=ovh.EMPTY_SERVICE
    )
    with pytest.raises(MissingRightsError):
        await adapter.list_numbers()
    adapter = connect(consumer_key=ovh.LIMITED_CONSUMER_KEY, service_name=ovh.SERVICE)
    assert (await adapter.get_account()).id == ovh.SERVICE
    assert len(await adapter.list_numbers()) == 2
    number = PhoneNumber(account=ovh.SERVICE, number=ovh.NUMBER)
    assert (await adapter.get_balance(number)).amount == 100


async def test_expired_account_beside_a_good_one(
    adapter: OvhAdapter, sim: Simulator, ovh: Ovh
) -> None:
    """An old account that has expired does not hide the numbers of another."""
    gone = {"class": "Client::460", "message": "The service is expired"}
    refuse(sim, 460, gone, ovh.EMPTY_SERVICE)
    assert len(await adapter.list_numbers()) == 2
    refuse(sim, 460, gone, "virtualNumbers")
    with pytest.raises(AccountSuspendedError) as caught:
        await adapter.list_numbers()
    assert caught.value.provider_code == "service_expired"


async def test_expired_account_that_comes_first(
    adapter: OvhAdapter, ovh: Ovh, caplog: pytest.LogCaptureFixture
) -> None:
    """Whichever account has expired, set-up goes on with the others."""
    ovh.expire(["sms-ab12345-0"])
    account = await adapter.get_account()
    assert account.id == "sms-ab12345-0"
    assert len(await adapter.list_numbers()) == 2
    ours = [each.getMessage() for each in caplog.records if "ovh" in each.name]
    assert any("ends in 45-0 is left out" in each for each in ours)
    assert not any("sms-ab12345" in each for each in ours)
    ovh.expire(list(ovh.services))
    for asked in (adapter.get_account(), adapter.list_numbers()):
        with pytest.raises(AccountSuspendedError):
            await asked


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, {"errorCode": "NOT_GRANTED_CALL"}),
        (404, {"message": "x"}),
        (200, 7),
        (500, {"message": "Internal server error"}),
        (503, {"message": "x"}),
    ],
)
async def test_account_that_does_not_answer(
    status: int, body: object, adapter: OvhAdapter, sim: Simulator, ovh: Ovh
) -> None:
    """An account that is refused, gone, odd or broken hides no other's numbers."""
    ovh.expire(["sms-ab12345-0"])
    ovh.services["sms-ab12345-0"].expired = False
    refuse(sim, status, body, "sms-ab12345-0")
    assert (await adapter.get_account()).id == "sms-ab12345-0"
    assert len(await adapter.list_numbers()) == 2


async def test_all_accounts_fail(adapter: OvhAdapter, sim: Simulator, ovh: Ovh) -> None:
    """Where no account answers, that is OVHcloud's trouble, and said."""
    refuse(sim, 500, {"message": "x"}, "sms-ab12345")
    for asked in (adapter.get_account(), adapter.list_numbers()):
        with pytest.raises(ProviderUnavailableError):
            await asked


@pytest.mark.parametrize("fault", ["rate_limited", "refused"])
async def test_trouble_of_all_accounts(
    adapter: OvhAdapter, sim: Simulator, ovh: Ovh, fault: str
) -> None:
    """Too many questions, or none that gets through, is no fault of one account."""
    sim.faults.add(fault, provider="ovh", path=f"/sms/{ovh.EMPTY_SERVICE}")
    with pytest.raises(ProviderUnavailableError):
        await adapter.list_numbers()


async def test_lists_with_one_odd_item(
    adapter: OvhAdapter, sim: Simulator, ovh: Ovh, number: PhoneNumber
) -> None:
    """A list is read as far as it makes sense."""
    sim.faults.add("garbage", path="/sms$", body=f'[null, "{ovh.SERVICE}"]')
    sim.faults.add("garbage", path="/virtualNumbers$", body=f'["{ovh.NUMBER}", 7]')
    assert await adapter.list_numbers() == [number]


async def test_receipt_with_nulls(
    adapter: OvhAdapter, ovh: Ovh, number: PhoneNumber, sim: Simulator
) -> None:
    """What is not known yet of a message is no error."""
    sent = await adapter.send(number, outbound(), None)
    await sim.settled()
    ovh.find(sent.provider_id).record = {
        "ptt": None,
        "deliveryReceipt": None,
        "deliveredAt": None,
        "sentAt": None,
    }
    receipt = await adapter.fetch_receipt(number, sent.provider_id)
    assert (receipt.status, receipt.at) == (DeliveryStatus.UNKNOWN, None)


async def test_receipt_with_nonsense_beside_its_status(
    adapter: OvhAdapter, ovh: Ovh, number: PhoneNumber, sim: Simulator
) -> None:
    """What a message has come to is told, whatever else its record says."""
    sent = await adapter.send(number, outbound(), None)
    await sim.settled()
    for odd in ("soon", 7, ["x"], "0001-01-01T00:00:00+05:00"):
        ovh.find(sent.provider_id).record = {
            "ptt": "much",
            "credits": odd if odd != 7 else "few",
            "deliveredAt": odd,
        }
        receipt = await adapter.fetch_receipt(number, sent.provider_id)
        assert (receipt.status, receipt.at) == (DeliveryStatus.DELIVERED, None)


def test_inbound_is_dated_by_ovhcloud(adapter: OvhAdapter) -> None:
    """What rings the bell tells no time that counts: it is the provider's."""
    request = CallbackRequest(
        method="POST",
        url="https://a.example/",
        body=b"id=7&senderid=33612345678&message=x",
    )
    adapter.note_date("Sat, 21 Nov 2026 10:00:00 GMT")
    event = adapter.parse(request)
    assert isinstance(event, InboundMessage)
    there = datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert abs(event.received_at - there) < timedelta(seconds=5)


async def test_another_messages_tag(
    adapter: OvhAdapter, ovh: Ovh, number: PhoneNumber, sim: Simulator
) -> None:
    """What bears the tag of another message is that one, whatever it says.

    A tag that was cut or dropped proves nothing.
    """
    message, since = outbound(), datetime.now(UTC)
    sent = await adapter.send(number, message, None)
    await sim.settled()
    record = ovh.find(sent.provider_id)
    for tag, found in (("another", []), (record.tag[:8], [False]), ("", [True])):
        record.tag = tag
        candidates = await adapter.find_sent(number, message, since)
        assert [each.exact for each in candidates] == found


async def test_listed_form_is_used(
    adapter: OvhAdapter, sim: Simulator, ovh: Ovh, number: PhoneNumber
) -> None:
    """A number is asked about as it was listed, and told as E.164."""
    sim.faults.add("garbage", path="/virtualNumbers$", body='["0033900000001"]')
    assert number in await adapter.list_numbers()
    await adapter.send(number, outbound(), None)
    assert "/0033900000001/" in paths(sim, "POST")[-1]


async def test_other_form_is_tried_once(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """Where + is not found 00 may be, and it is remembered."""
    refuse(sim, 404, {"class": "Client::NotFound"}, r"%2B33900000001/")
    await adapter.send(number, outbound(), None)
    await adapter.send(number, outbound(), None)
    assert ["/0033" in each for each in paths(sim, "POST")] == [False, True, True]


async def test_unknown_number(adapter: OvhAdapter, number: PhoneNumber) -> None:
    """A number that is in no form the account's is not found."""
    with pytest.raises(NotFoundError):
        await adapter.send(replace(number, number="+33900000009"), outbound(), None)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+33612345678", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("33612345678", "+33612345678"),
        ("0612345678", "0612345678"),
        ("38069", "38069"),
        ("OVHcloud", "OVHcloud"),
        ("33 MAIL", "33 MAIL"),
        ("٣٣٦١٢٣٤٥٦٧٨", "٣٣٦١٢٣٤٥٦٧٨"),
        ("", ""),
    ],
)
def test_numbers(written: str, read: str) -> None:
    """Numbers get their plus; what is none stays as it is."""
    assert to_e164(written) == read


# Sending


async def test_what_is_sent(adapter: OvhAdapter, ovh: Ovh, number: PhoneNumber) -> None:
    """The tag tells one message from all others and is short enough."""
    message = outbound("Ça va ? €")
    sent = await adapter.send(number, message, None)
    accepted = ovh.find(sent.provider_id)
    assert (accepted.text, accepted.to) == (message.text, RECIPIENT)
    assert accepted.tag == tag_of(message)
    assert sent.status is DeliveryStatus.QUEUED


def test_tags() -> None:
    """A short id is its own tag; a longer one has always the same."""
    assert tag_of(outbound(message_id="short")) == "short"
    tag = tag_of(outbound())
    assert re.fullmatch(r"[0-9a-f]{20}", tag)
    assert tag == tag_of(outbound("Other"))
    assert tag != tag_of(outbound(message_id="01J0000000000000000000000B"))


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (outbound(" \n"), "empty_text"),
        (outbound(segments=7), "text_too_long"),
        (outbound("x" * 919, segments=1), "text_too_long"),
    ],
)
def test_refused_before(
    adapter: OvhAdapter, message: OutboundMessage, word: str
) -> None:
    """A refusal of ours has a sentence like one of theirs."""
    with pytest.raises(MessageRejectedError) as caught:
        adapter.check(message)
    assert caught.value.provider_code == word
    assert word in adapter.error_rules
    adapter.check(outbound("x" * 918, segments=6))


@pytest.mark.parametrize("keeps_tags", [True, False])
async def test_found_while_pending_and_after(
    adapter: OvhAdapter,
    sim: Simulator,
    number: PhoneNumber,
    *,
    keeps_tags: bool,
) -> None:
    """A message is found as a job and as sent, even where its tag was dropped."""
    sim.automatic = False
    message = outbound()
    sent = replace(await adapter.send(number, message, None), cost=None)
    other = outbound(message_id="another", recipient="+33611111111")
    await adapter.send(number, other, None)
    since = message.created_at
    assert await adapter.find_sent(number, message, since) == [sent]
    await sim.ovh.advance(sent.provider_id, "sent")
    if not keeps_tags:
        for each in sim.ovh.messages:
            each.tag = ""
    assert await adapter.find_sent(number, message, since) == [sent]
    later = since + timedelta(hours=1)
    assert await adapter.find_sent(number, message, later) == [sent] * keeps_tags


async def test_tag_of_another(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """The same text under another tag is another message."""
    await adapter.send(number, outbound(), None)
    await sim.settled()
    message = outbound(message_id="another")
    assert await adapter.find_sent(number, message, message.created_at) == []


# Callbacks


@pytest.mark.parametrize(
    ("fields", "status", "reason", "code"),
    [
        ({"ptt": "4", "description": "1"}, "delivered", None, None),
        ({"ptt": "4", "dlr": "1"}, "delivered", None, None),
        ({"dlr": "1", "description": "2"}, "delivered", None, None),
        ({"dlr": "", "description": "2"}, "undelivered", "other", None),
        ({"ptt": "24", "description": "2"}, "undelivered", "unreachable", "24"),
        ({"ptt": "999", "dlr": "16"}, "failed", "other", "999"),
        ({"ptt": "x", "dlr": "16"}, "failed", "other", None),
        ({"ptt": "24", "dlr": "8"}, "sent", None, None),
        ({"ptt": "3", "description": "4"}, "sent", None, None),
        ({"ptt": "0", "description": "0"}, "queued", None, None),
        ({"ptt": "4", "dlr": "77"}, "unknown", None, None),
        ({"ptt": "4", "description": "Delivered"}, "unknown", None, None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_status_bell(
    adapter: OvhAdapter,
    *,
    method: str,
    fields: dict[str, str],
    status: str,
    reason: str | None,
    code: str | None,
) -> None:
    """A status comes in two forms and by two methods."""
    request = bell(method, id="0042", date="2026-07-15 12:24:10", **fields)
    adapter.verify(request)
    assert adapter.parse(request) == DeliveryReceipt(
        provider_id="42",
        status=DeliveryStatus(status),
        reason=reason and RejectReason(reason),
        error_code=code,
    )


@pytest.mark.parametrize(
    ("shortcode", "number"),
    [
        ("+33900000001", "+33900000001"),
        ("33900000001", "+33900000001"),
        ("38069", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("writer", ["senderid", "sender"])
def test_inbound_bell(
    adapter: OvhAdapter, writer: str, shortcode: str, number: str | None
) -> None:
    """An inbound message names its writer in one of two fields."""
    fields = {writer: "0033612345678", "message": "Où ? ", "keyword": "", "tag": ""}
    event = adapter.parse(bell("POST", id="42", shortcode=shortcode, **fields))
    assert isinstance(event, InboundMessage)
    assert (event.message_id, event.number) == ("42", number)
    assert (event.sender, event.text) == (RECIPIENT, "Où ? ")
    assert adapter.acknowledge(event).status == 200


def test_too_long_bell(adapter: OvhAdapter) -> None:
    """What was cut off is not read."""
    with pytest.raises(CallbackUnreadableError):
        adapter.parse(replace(bell(id="1", dlr="1"), truncated=True))


NAMES = st.sampled_from(
    ["id", "dlr", "ptt", "description", "senderid", "sender", "message", "shortcode"]
)
VALUES = st.one_of(st.text(), st.integers().map(str))


@given(
    query=st.dictionaries(NAMES, VALUES).map(urlencode) | st.text(),
    body=st.dictionaries(NAMES, VALUES).map(lambda each: urlencode(each).encode())
    | st.binary(),
    method=st.sampled_from(["GET", "POST"]),
)
def test_fuzzed_bells(query: str, body: bytes, method: str) -> None:
    """Whatever rings, it is a bell or unreadable."""
    adapter = OvhAdapter({}, session=None, run_blocking=asyncio.to_thread)
    request = CallbackRequest(method=method, url=f"{BELL}?{query}", body=body)
    adapter.verify(request)
    try:
        event = adapter.parse(request)
    except CallbackUnreadableError:
        return
    match event:
        case (
            InboundMessage(message_id=event_id) | DeliveryReceipt(provider_id=event_id)
        ):
            assert event_id.isdecimal()


async def test_shared_url_names_the_other_number(
    adapter: OvhAdapter, ovh: Ovh, number: PhoneNumber
) -> None:
    """A message to one number is not confirmed for another of the account."""
    other = replace(number, number=ovh.SECOND_NUMBER)
    message_id = ovh.receive(RECIPIENT, "Hello", number=other.number)
    event = adapter.parse(
        bell("POST", id=str(message_id), senderid="x", message="", shortcode="")
    )
    assert await adapter.confirm(number, event) is None
    confirmed = await adapter.confirm(other, event)
    assert isinstance(confirmed, InboundMessage)
    assert (confirmed.number, confirmed.text) == (other.number, "Hello")
    assert confirmed.received_at.tzinfo is UTC


async def test_receipt_of_a_pending_message(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """What is still a job is queued, what was sent has a time."""
    sim.automatic = False
    sent = await adapter.send(number, outbound(), None)
    receipt = await adapter.fetch_receipt(number, sent.provider_id)
    assert receipt == DeliveryReceipt(
        provider_id=sent.provider_id, status=DeliveryStatus.QUEUED
    )
    await sim.ovh.advance(sent.provider_id, "delivered")
    receipt = await adapter.fetch_receipt(number, sent.provider_id)
    assert receipt.status is DeliveryStatus.DELIVERED
    assert receipt.at is not None


async def test_urls_of_the_account(
    adapter: OvhAdapter, ovh: Ovh, number: PhoneNumber
) -> None:
    """What is set for messages is set beside everything else."""
    ovh.service.response_options = [{"media": "email", "sender": "a", "target": "b"}]
    ovh.service.stop_call_back = "https://other.example/stop"
    urls = CallbackUrls(inbound=f"{BELL}?in", status=f"{BELL}?out")
    await adapter.set_callbacks(number, urls)
    assert await adapter.get_callbacks(number) == urls
    assert ovh.service.response_type == "cgi"
    assert ovh.service.response_options
    assert ovh.service.stop_call_back == "https://other.example/stop"
    await adapter.set_callbacks(number, CallbackUrls())
    assert await adapter.get_callbacks(number) == CallbackUrls()
    assert ovh.service.response_type == "none"


async def test_automatic_reply_of_the_user(
    adapter: OvhAdapter, ovh: Ovh, number: PhoneNumber
) -> None:
    """An answer OVHcloud gives by itself stands where a URL would, and returns there."""
    ovh.service.response_type, ovh.service.response_text = "text", "On holiday"
    ovh.service.cgi_url = "https://other.example/"
    theirs = await adapter.get_callbacks(number)
    assert theirs == CallbackUrls(inbound="text:On holiday")
    await adapter.set_callbacks(number, CallbackUrls())
    assert await adapter.get_callbacks(number) == theirs
    await adapter.set_callbacks(number, CallbackUrls(inbound=BELL, status=BELL))
    assert ovh.service.response_type == "cgi"
    ovh.service.response_text = None
    await adapter.set_callbacks(number, theirs)
    assert await adapter.get_callbacks(number) == theirs
    assert (ovh.service.response_type, ovh.service.response_text) == (
        "text",
        "On holiday",
    )


# History


async def test_batches(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """What was missed is fetched fifty at a time, oldest first."""
    newest = datetime.now(UTC)
    ids = sim.ovh.history(120, newest=newest, every=timedelta(minutes=1))
    batches = await fetch(adapter, number, str(ids[0]))
    assert [len(batch) for batch in batches] == [50, 50, 19]
    fetched = [message for batch in batches for message in batch]
    assert [message.message_id for message in fetched] == [
        str(each) for each in ids[1:]
    ]
    assert fetched == sorted(fetched, key=lambda message: message.received_at)
    assert len(paths(sim)) == 4


@pytest.mark.parametrize(("status", "body"), [(404, {}), (400, {}), (200, None)])
async def test_batches_not_understood(
    adapter: OvhAdapter,
    sim: Simulator,
    number: PhoneNumber,
    status: int,
    body: object,
) -> None:
    """Without batches messages come one by one."""
    ids = sim.ovh.history(3, newest=datetime.now(UTC), every=timedelta(minutes=1))
    refuse(sim, status, body, r"incoming/\d+,")
    (batch,) = await fetch(adapter, number)
    assert [message.message_id for message in batch] == [str(each) for each in ids]


async def test_a_batch_that_is_too_much(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """Who is asked to wait does not ask for each message instead."""
    sim.ovh.history(3, newest=datetime.now(UTC), every=timedelta(minutes=1))
    sim.faults.add("rate_limited", provider="ovh", path=r"/incoming/\d+,")
    with pytest.raises(RateLimitedError):
        await fetch(adapter, number)
    assert not [path for path in paths(sim) if re.search(r"/incoming/\d+$", path)]


async def test_erased_meanwhile(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """A message that is gone when it is fetched leaves the others."""
    ids = sim.ovh.history(3, newest=datetime.now(UTC), every=timedelta(minutes=1))
    sim.faults.add(
        "garbage",
        path=r"/incoming\?",
        body=json.dumps([*ids, ids[-1] + 5]),
    )
    (batch,) = await fetch(adapter, number)
    assert [message.message_id for message in batch] == [str(each) for each in ids]


async def test_filter_is_not_believed(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """What is older than asked for is left out, whatever the filter did."""
    (old,) = sim.ovh.history(1, newest=datetime.now(UTC) - timedelta(days=2))
    sim.faults.add("garbage", path=r"/incoming\?", body=f"[{old}]")
    assert await fetch(adapter, number) == [[]]


# Errors


def refuse(sim: Simulator, status: int, body: object, path: str = "") -> None:
    """Let the API answer so to a path."""
    sim.faults.clear()
    sim.faults.add(
        "garbage",
        provider="ovh",
        path=path or r"^/1\.0/sms",
        status=status,
        body=json.dumps(body),
    )


CODED = {
    "INVALID_KEY": (403, AuthenticationError),
    "INVALID_CREDENTIAL": (403, AuthenticationError),
    "NOT_CREDENTIAL": (403, AuthenticationError),
    "INVALID_SIGNATURE": (400, AuthenticationError),
    "NOT_GRANTED_CALL": (403, MissingRightsError),
    "FORBIDDEN": (403, MissingRightsError),
    "QUERY_TIME_OUT": (400, ProviderUnavailableError),
}
CLASSED = [
    (400, "Client::InvalidSignature", "", AuthenticationError, "invalid_signature"),
    (401, "Client::Unauthorized", "", AuthenticationError, "invalid_credential"),
    (402, "Client::PaymentRequired", "", MessageRejectedError, "no_credit"),
    (403, "Client::Forbidden", "", MissingRightsError, "forbidden"),
    (403, "Client::Forbidden", "No more credits", MessageRejectedError, "no_credit"),
    (
        403,
        None,
        "This call has not been granted",
        MissingRightsError,
        "not_granted_call",
    ),
    (403, None, "Who are you?", MissingRightsError, "forbidden"),
    (403, None, "This service is expired", AccountSuspendedError, "service_expired"),
    (400, None, "Message too long", MessageRejectedError, "text_too_long"),
    (400, None, "Invalid receivers", MessageRejectedError, "invalid_receiver"),
    (400, None, "No", MessageRejectedError, "400"),
    (404, "Client::NotFound", "credit", NotFoundError, None),
    (409, "Client::Conflict", "", MessageRejectedError, "conflict"),
    (460, None, "The service is expired", AccountSuspendedError, "service_expired"),
]


@pytest.mark.parametrize("code", CODED)
async def test_coded_errors(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber, code: str
) -> None:
    """The older errors are told by their code."""
    status, error = CODED[code]
    body = {"errorCode": code, "httpCode": f"{status} x", "message": "x"}
    refuse(sim, status, body)
    with pytest.raises(error) as caught:
        await adapter.send(number, outbound(), None)
    assert type(caught.value) is error
    assert caught.value.provider_code == code.lower()
    assert adapter.error_rules[code.lower()].error is error


@pytest.mark.parametrize(("status", "name", "text", "error", "code"), CLASSED)
async def test_classed_errors(
    adapter: OvhAdapter,
    sim: Simulator,
    number: PhoneNumber,
    *,
    status: int,
    name: str | None,
    text: str,
    error: type[SmsError],
    code: str | None,
) -> None:
    """The newer errors are told by their message, class and status."""
    refuse(sim, status, {"class": name, "message": text})
    with pytest.raises(error) as caught:
        await adapter.send(number, outbound(), None)
    assert type(caught.value) is error
    assert caught.value.provider_code == code
    if error is MessageRejectedError:
        with pytest.raises(InvalidResponseError):
            await adapter.get_account()


@pytest.mark.parametrize("body", [None, [], "x", {}])
async def test_errors_that_are_no_object(
    adapter: OvhAdapter, sim: Simulator, body: object
) -> None:
    """A refusal in nobody's words is told by its status, where that says enough."""
    for status, error in (
        (302, InvalidResponseError),
        (400, InvalidResponseError),
        (401, AuthenticationError),
        (403, MissingRightsError),
        (404, InvalidResponseError),
        (429, RateLimitedError),
        (503, ProviderUnavailableError),
    ):
        refuse(sim, status, body)
        with pytest.raises(error):
            await adapter.get_account()


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("refused", None, ""),
        ("bad_gateway", None, ""),
        ("server_error", None, ""),
        ("rate_limited", None, ""),
        ("dropped", None, ""),
        ("garbage", 200, "[]"),
        ("garbage", 200, "<html>"),
        ("garbage", 200, "true"),
        ("garbage", 404, "{}"),
        ("garbage", 404, '{"message": "x"}'),
    ],
)
async def test_trouble_at_the_question_for_the_time(
    *,
    adapter: OvhAdapter,
    sim: Simulator,
    number: PhoneNumber,
    fault: str,
    status: int | None,
    body: str,
) -> None:
    """Whatever goes wrong there, nothing else was sent: no outcome is unknown."""
    sim.faults.add(fault, path="/auth/time", status=status, body=body)
    with pytest.raises(ProviderUnavailableError) as caught:
        await adapter.send(number, outbound(), None)
    assert not caught.value.maybe_processed
    assert not paths(sim, "POST")
    assert not sim.ovh.messages


async def test_refused_at_the_question_for_the_time(
    adapter: OvhAdapter, sim: Simulator
) -> None:
    """A key that is refused there is refused."""
    sim.faults.add(
        "garbage", path="/auth/time", status=403, body='{"errorCode": "INVALID_KEY"}'
    )
    with pytest.raises(AuthenticationError):
        await adapter.get_account()


@pytest.mark.parametrize(
    "address",
    ["nonsense", "http://", "ftp://127.0.0.1", "http://[", "http://127.0.0.1:x"],
)
async def test_bad_address(connect: Open, number: PhoneNumber, address: str) -> None:
    """An address that is none can be reached by nobody."""
    with pytest.raises(ProviderUnavailableError) as caught:
        await connect(api_url=address).send(number, outbound(), None)
    assert not caught.value.maybe_processed


@pytest.mark.parametrize("name", sorted(ovh_errors._BAD_KEYS))
def test_names_of_foreign_errors(name: str) -> None:
    """Errors are known by names, so the names must be right."""
    error = resolve_name(name)
    assert issubclass(error, Exception)
    assert isinstance(translate(error()), AuthenticationError)


@pytest.mark.parametrize("left_out", ["validReceivers", "invalidReceivers", "tag"])
async def test_report_that_says_less(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber, left_out: str
) -> None:
    """Every field of a report is optional: what has an id was taken."""
    report = {
        "ids": [7],
        "validReceivers": [RECIPIENT],
        "invalidReceivers": [],
        "tag": "x",
    }
    del report[left_out]
    sim.faults.add("garbage", path="/jobs$", body=json.dumps(report))
    assert (await adapter.send(number, outbound(), None)).provider_id == "7"


@pytest.mark.parametrize("credits_left", ["NaN", "Infinity", "1e999", "null", '"9.5"x'])
async def test_credits_that_make_no_sense(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber, credits_left: str
) -> None:
    """An amount is a number that can be compared."""
    sim.faults.add("garbage", path="/sms/", body=f'{{"creditsLeft": {credits_left}}}')
    with pytest.raises(InvalidResponseError):
        await adapter.get_balance(number)


async def test_account_that_says_less(
    adapter: OvhAdapter, ovh: Ovh, sim: Simulator, number: PhoneNumber
) -> None:
    """An account need not have a name, nor say what it does with messages."""
    path = f"/sms/{ovh.SERVICE}$"
    sim.faults.add("garbage", method="GET", path=path, body='{"creditsLeft": 9.5}')
    assert (await adapter.get_account()).name is None
    assert await adapter.get_callbacks(number) == CallbackUrls()
    await adapter.set_callbacks(number, CallbackUrls(inbound="https://a.example/"))
    assert ovh.service.cgi_url == "https://a.example/"


async def test_key_that_tells_no_rules(adapter: OvhAdapter, sim: Simulator) -> None:
    """What a key may do need not be told: it then lacks nothing that is known."""
    body = '{"status": "validated"}'
    sim.faults.add("garbage", path="/auth/currentCredential", body=body)
    state = await adapter.authorization_state()
    assert state == AuthorizationState(status=AuthorizationStatus.VALIDATED)


@pytest.mark.parametrize("ids", [[], ["1"], [True], None])
async def test_report_that_makes_no_sense(
    adapter: OvhAdapter, sim: Simulator, number: PhoneNumber, ids: object
) -> None:
    """Who reads a report wrongly does not know whether a message was sent."""
    report = {"validReceivers": [RECIPIENT], "invalidReceivers": [], "ids": ids}
    refuse(sim, 200, report, "jobs")
    with pytest.raises(SendOutcomeUnknownError):
        await adapter.send(number, outbound(), None)


def test_odd_pause() -> None:
    """A pause that is no number of seconds is none."""
    reply = Reply(
        method="GET",
        path="/sms",
        status=429,
        headers={"Retry-After": "soon"},
        content=b"",
    )
    error = translate(RefusedError(reply))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after is None


def test_reasons_are_for_failures() -> None:
    """A ptt explains a failure and nothing else."""
    assert make_receipt("1", 2, 53).reason is RejectReason.OPTED_OUT
    assert make_receipt("1", 1, 53).reason is None


# The click


async def test_click(connect: Open, ovh: Ovh) -> None:
    """A key comes without a signature, and is good once the user has agreed."""
    asking = connect(consumer_key="")
    authorization = await asking.request_authorization("https://home.example/done")
    assert "credentialToken" in authorization.url
    consumer = ovh.auth.consumers[authorization.consumer_key]
    assert consumer.redirection == "https://home.example/done"
    assert ("PUT", "/sms/*") in consumer.rules
    adapter = connect(consumer_key=authorization.consumer_key)
    state = await adapter.authorization_state()
    assert state.status is AuthorizationStatus.PENDING
    ovh.auth.authorize_click(authorization.consumer_key)
    state = await adapter.authorization_state()
    assert state.status is AuthorizationStatus.VALIDATED
    assert state.expires_at is not None
    assert state.missing == ()
    assert await adapter.list_numbers()


async def test_click_for_one_account(connect: Open, ovh: Ovh) -> None:
    """Who names an account is asked for that one only."""
    asking = connect(consumer_key="", service_name=ovh.SERVICE)
    authorization = await asking.request_authorization(None)
    consumer = ovh.auth.consumers[authorization.consumer_key]
    assert {path for _, path in consumer.rules} == {
        f"/sms/{ovh.SERVICE}",
        f"/sms/{ovh.SERVICE}/*",
    }
    ovh.auth.authorize_click(authorization.consumer_key)
    adapter = connect(consumer_key=authorization.consumer_key, service_name=ovh.SERVICE)
    state = await adapter.authorization_state()
    assert (state.missing, state.missing_for_callbacks) == ((), ())


async def test_missing_rights_are_named(
    connect: Open, ovh: Ovh, number: PhoneNumber
) -> None:
    """A key that may only read can neither send nor set the URLs."""
    adapter = connect(consumer_key=ovh.READ_ONLY_CONSUMER_KEY)
    state = await adapter.authorization_state()
    assert state.missing == ("POST /sms/*/virtualNumbers/*/jobs",)
    assert state.missing_for_callbacks == ("PUT /sms/*",)
    assert state.expires_at is None
    state = await adapter.authorization_state(number)
    own = f"/sms/{ovh.SERVICE}"
    assert state.missing == (f"POST {own}/virtualNumbers/{ovh.NUMBER}/jobs",)
    assert state.missing_for_callbacks == (f"PUT {own}",)


@pytest.mark.parametrize("form", ["+33900000001", "0033900000001", "*"])
async def test_narrow_rights_are_enough(
    connect: Open, ovh: Ovh, number: PhoneNumber, form: str
) -> None:
    """A key lacks nothing that may do the calls themselves, in any form of them."""
    own = f"/sms/{ovh.SERVICE}"
    line = f"{own}/virtualNumbers/{form}"
    ovh.auth.add(
        "narrow",
        (
            ("GET", own),
            ("PUT", own),
            ("POST", f"{line}/jobs"),
            ("GET", f"{line}/incoming*"),
            ("GET", f"{line}/outgoing*"),
        ),
    )
    state = await connect(consumer_key="narrow").authorization_state(number)
    assert (state.missing, state.missing_for_callbacks) == ((), ())
    elsewhere = replace(number, account=ovh.EMPTY_SERVICE)
    state = await connect(consumer_key="narrow").authorization_state(elsewhere)
    assert len(state.missing) == 3
    assert len(state.missing_for_callbacks) == 2


async def test_refused_call_names_its_right(
    connect: Open, ovh: Ovh, number: PhoneNumber
) -> None:
    """What may not be done is told as OVHcloud writes it."""
    adapter = connect(consumer_key=ovh.LIMITED_CONSUMER_KEY)
    with pytest.raises(MissingRightsError) as caught:
        await adapter.get_account()
    assert caught.value.missing == ("GET /sms",)
    adapter = connect(consumer_key=ovh.READ_ONLY_CONSUMER_KEY)
    with pytest.raises(MissingRightsError) as caught:
        await adapter.send(number, outbound(), None)
    right = f"POST /sms/{ovh.SERVICE}/virtualNumbers/{ovh.NUMBER}/jobs"
    assert caught.value.missing == (right,)


async def test_key_that_may_not_ask_for_itself(connect: Open, ovh: Ovh) -> None:
    """Whether a narrow key may ask is not documented: refused so, it is good."""
    ovh.auth.open_calls.clear()
    adapter = connect(consumer_key=ovh.READ_ONLY_CONSUMER_KEY)
    state = await adapter.authorization_state()
    assert state.status is AuthorizationStatus.VALIDATED


@pytest.mark.parametrize("code", ["INVALID_CREDENTIAL", "NOT_CREDENTIAL"])
async def test_key_that_waits(adapter: OvhAdapter, sim: Simulator, code: str) -> None:
    """Whichever way a key is refused that nobody has allowed yet, it waits."""
    refuse(sim, 403, {"errorCode": code}, path="/auth/currentCredential")
    state = await adapter.authorization_state()
    assert state.status is AuthorizationStatus.PENDING


async def test_wrong_application(connect: Open) -> None:
    """An application that does not exist has no key that waits."""
    with pytest.raises(AuthenticationError):
        await connect(application_key="wrong").authorization_state()


async def test_a_batch_that_fails_is_read_one_by_one(
    adapter: OvhAdapter, ovh: Ovh, sim: Simulator
) -> None:
    """One record that OVHcloud stumbles over must not cost the others."""
    for number in range(3):
        ovh.receive("+33612345678", f"Message {number}", callback=False)
    sim.faults.add("server_error", provider="ovh", path=r"/incoming/\d+,", times=1)
    since = datetime.now(UTC) - timedelta(minutes=5)

    async def known(_: object) -> set[str]:
        return set()

    batches = adapter.fetch_inbound(
        PhoneNumber(account=ovh.SERVICE, number=ovh.NUMBER), since, known
    )
    assert [len(batch) async for batch in batches] == [3]


def test_a_record_with_our_tag_is_ours() -> None:
    """Whatever has become of its text."""
    message = OutboundMessage(
        message_id="m1",
        recipient="+33612345678",
        text="x",
        created_at=datetime.now(UTC),
    )
    record = Outgoing(
        id="1", receiver="", text="", tag=tag_of(message), created_at=message.created_at
    )
    assert record.may_be(message, message.created_at)
