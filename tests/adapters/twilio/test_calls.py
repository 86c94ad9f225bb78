"""What is peculiar to Twilio's calls: signatures, error codes, either SDK."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from custom_components.virtual_sms.adapters.call_models import (
    CallReply,
    CallState,
    CallUpdate,
    IncomingCall,
    Speech,
)
from custom_components.virtual_sms.adapters.errors import (
    CallbackUnreadableError,
    InvalidResponseError,
    MessageRejectedError,
    RateLimitedError,
)
from custom_components.virtual_sms.adapters.models import (
    Advice,
    CallbackRequest,
    PhoneNumber,
    RejectReason,
)
from custom_components.virtual_sms.adapters.twilio.adapter import TwilioAdapter
from custom_components.virtual_sms.adapters.twilio.call_records import with_call_id
from custom_components.virtual_sms.adapters.twilio.old_calls import OldCalls, with_twiml
from tests.adapters.test_call_conformance import CALLEE, compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator import Simulator
    from tests.adapters.conftest import Receiver

HOOK = "https://home.example.com/api/webhook/abc"
FIELDS = {
    "CallSid": "CA1",
    "AccountSid": "AC" + "5a" * 16,
    "From": "+33612345678",
    "To": "+15005550006",
    "CallStatus": "ringing",
    "Direction": "inbound",
}


@pytest.fixture
def key() -> str:
    """Name the provider these tests are about."""
    return "twilio"


@pytest.fixture
def number(sim: Simulator) -> PhoneNumber:
    """Return the line that is used."""
    twilio = sim.twilio
    return PhoneNumber(account=twilio.ACCOUNT_SID, number=twilio.NUMBER)


def callback(
    fields: Mapping[str, str], url: str = HOOK, signature: str = ""
) -> CallbackRequest:
    """Write a callback."""
    return CallbackRequest(
        method="POST",
        url=url,
        headers={"x-twilio-signature": signature},
        body=urlencode(fields).encode(),
    )


@pytest.mark.parametrize("port", ["", ":443", ":8123"])
async def test_a_voice_url_is_signed_without_its_port(
    adapter: TwilioAdapter, sim: Simulator, port: str
) -> None:
    """The official SDK's signature over the bare URL is taken at any port."""
    bare = with_call_id(HOOK, "ours")
    fields = FIELDS | {"Digits": "1"}
    validator = RequestValidator(sim.twilio.auth_token)
    signature = validator.compute_signature(bare, fields)
    url = bare.replace(".com", f".com{port}")
    adapter.verify(callback(fields, url, signature))
    assert validator.validate(url, fields, signature)


async def test_the_simulator_signs_as_twilio_does(
    adapter: TwilioAdapter, number: PhoneNumber, sim: Simulator, receiver: Receiver
) -> None:
    """The official validator believes every callback of a call."""
    public = "https://home.example.com:8123"
    origin, path = receiver.url.rsplit("/", 1)
    sim.reroute[public] = origin
    placed = await adapter.make_call(number, compose(), f"{public}/{path}")
    await sim.settled()
    await sim.twilio.phones.use(placed.provider_id, "answer")
    validator = RequestValidator(sim.twilio.auth_token)
    assert len(sim.callbacks) == 4
    for each in sim.callbacks:
        signature = each.headers["X-Twilio-Signature"]
        assert validator.validate(each.url, each.fields, signature)
        bare = each.url.replace(":8123", "")
        assert validator.compute_signature(bare, each.fields) == signature


@pytest.mark.parametrize(
    ("recipient", "code", "reason"),
    [
        ("+15005550001", "21217", RejectReason.INVALID_NUMBER),
        ("+15005550002", "21214", RejectReason.UNREACHABLE),
        ("+15005550003", "21215", RejectReason.OTHER),
        ("+15005550004", "21216", RejectReason.BLOCKED),
        ("+15005550005", "21219", RejectReason.OTHER),
        ("+1500", "21211", RejectReason.INVALID_NUMBER),
    ],
)
async def test_refusals(
    adapter: TwilioAdapter,
    number: PhoneNumber,
    recipient: str,
    code: str,
    reason: RejectReason,
) -> None:
    """A call that Twilio refuses says why, and nothing is unknown about it."""
    with pytest.raises(MessageRejectedError) as caught:
        await adapter.make_call(number, compose(recipient), None)
    assert (caught.value.provider_code, caught.value.reason) == (code, reason)


async def test_other_refusals(
    adapter: TwilioAdapter, number: PhoneNumber, sim: Simulator
) -> None:
    """Too many calls at once is no refusal for good; a code nobody knows is one."""
    with pytest.raises(RateLimitedError):
        await adapter.make_call(number, compose("+15005550008"), None)
    garbage = {"kind": "garbage", "path": r"/Calls\.json", "status": 400, "times": 1}
    sim.faults.add(**garbage, body='{"code": 21299}')
    with pytest.raises(MessageRejectedError):
        await adapter.make_call(number, compose(), None)
    sim.faults.add(**garbage, body="{}")
    with pytest.raises(Exception) as caught:  # noqa: PT011  # named below
        await adapter.make_call(number, compose(), None)
    assert caught.value.answered  # type: ignore[attr-defined]
    assert isinstance(caught.value.__cause__, InvalidResponseError)


def test_a_voice_country_is_enabled_apart() -> None:
    """Countries are enabled for calls and for messages separately."""
    rules = TwilioAdapter.error_rules
    assert rules["21215"].advice is Advice.ENABLE_VOICE_COUNTRY
    assert rules["21408"].advice is Advice.ENABLE_COUNTRY


@pytest.mark.parametrize(
    ("changes", "url", "expected"),
    [
        (
            {},
            HOOK,
            IncomingCall(
                provider_id="CA1", number="+15005550006", caller="+33612345678"
            ),
        ),
        (
            {"From": "anonymous"},
            HOOK,
            IncomingCall(provider_id="CA1", number="+15005550006", caller="anonymous"),
        ),
        (
            {"CallStatus": "completed", "CallDuration": "7"},
            HOOK,
            CallUpdate(provider_id="CA1", state=CallState.COMPLETED, duration=7),
        ),
        (
            {"Direction": "outbound-api", "Digits": "1", "CallStatus": "in-progress"},
            f"{HOOK}?c=ours",
            CallUpdate(
                provider_id="CA1",
                state=CallState.ANSWERED,
                call_id="ours",
                digits="1",
            ),
        ),
        (
            {
                "Direction": "outbound-api",
                "CallStatus": "failed",
                "ErrorCode": "21215",
                "Timestamp": "Fri, 27 Nov 2026 08:00:00 +0000",
            },
            f"{HOOK}?c=ours",
            CallUpdate(
                provider_id="CA1",
                state=CallState.FAILED,
                call_id="ours",
                reason=RejectReason.OTHER,
                error_code="21215",
                at=datetime(2026, 11, 27, 8, tzinfo=UTC),
            ),
        ),
        (
            {"CallStatus": "a new one", "Timestamp": "soon"},
            f"{HOOK}?c=ours",
            CallUpdate(provider_id="CA1", state=CallState.QUEUED, call_id="ours"),
        ),
    ],
)
async def test_what_callbacks_say(
    adapter: TwilioAdapter, changes: dict[str, str], url: str, expected: object
) -> None:
    """A call is told from a message by its id, and who calls from how ours goes on."""
    assert adapter.parse(callback(FIELDS | changes, url)) == expected


@pytest.mark.parametrize("missing", ["CallSid", "CallStatus", "From"])
async def test_a_callback_that_makes_no_sense(
    adapter: TwilioAdapter, missing: str
) -> None:
    """It is unreadable, whatever it lacks."""
    fields = {name: each for name, each in FIELDS.items() if name != missing}
    fields |= {"CallSid": ""} if missing == "CallSid" else {}
    with pytest.raises(CallbackUnreadableError):
        adapter.parse(callback(fields))


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        ("fr", "fr-FR"),
        ("fr_CA", "fr-CA"),
        ("en-gb", "en-GB"),
        ("pt", "pt-PT"),
        ("de-AT", "de-DE"),
        ("tlh", "en-US"),
        ("", "en-US"),
    ],
)
async def test_languages(adapter: TwilioAdapter, language: str, locale: str) -> None:
    """A language that no voice speaks is read in English, and never left out."""
    speech = Speech(text="x", language=language)
    answer = adapter.answer_call(CallReply(speech=speech), None)
    assert f'language="{locale}"' in answer.body


async def test_who_else_handles_a_numbers_calls(
    adapter: TwilioAdapter, number: PhoneNumber, sim: Simulator
) -> None:
    """An application or a trunk overrules the URL."""
    held = sim.twilio.numbers[sim.twilio.NUMBER]
    held.voice_application_sid = "AP1"
    found = await adapter.get_voice_callbacks(number)
    assert found.overruled_by == "application"
    held.trunk_sid = "TK1"
    assert (await adapter.get_voice_callbacks(number)).overruled_by == "trunk"


async def test_calls_of_others_are_no_candidates(
    adapter: TwilioAdapter, number: PhoneNumber, sim: Simulator
) -> None:
    """Only what the API made since then may be ours."""
    since = datetime.now(UTC) - timedelta(minutes=1)
    for _ in range(3):
        await adapter.make_call(number, compose(), None)
    first, second, third = sim.twilio.phones.calls
    first.record = {"direction": "outbound-dial"}
    second.created -= timedelta(hours=1)
    found = await adapter.find_calls(number, CALLEE, since)
    assert [each.provider_id for each in found] == [third.id]


@pytest.mark.parametrize(
    ("record", "is_candidate"),
    [
        ({"date_created": None}, True),
        ({"status": 7}, True),
        ({"status": None, "date_created": "Sat, 21 Nov 2020 10:00:00 +0000"}, False),
        ({"status": None, "direction": "inbound"}, False),
        ({"sid": None}, False),
    ],
)
async def test_a_call_that_cannot_be_read_may_be_ours(
    record: dict[str, object],
    is_candidate: bool,
    adapter: TwilioAdapter,
    number: PhoneNumber,
    sim: Simulator,
) -> None:
    """It comes after those that can be: who was called must not count as not called."""
    since = datetime.now(UTC) - timedelta(minutes=1)
    for _ in range(2):
        await adapter.make_call(number, compose(), None)
    odd, other = sim.twilio.phones.calls
    odd.record = record
    found = await adapter.find_calls(number, CALLEE, since)
    assert [each.provider_id for each in found] == [other.id, *[odd.id] * is_candidate]


async def test_a_long_list_is_read_until_it_is_too_old(
    adapter: TwilioAdapter, number: PhoneNumber, sim: Simulator
) -> None:
    """No page is asked for that cannot hold the call."""
    for index in range(120):
        await adapter.make_call(number, compose(), None)
        made = sim.twilio.phones.calls[-1]
        made.created -= timedelta(minutes=120 - index)
    sim.requests.clear()
    since = datetime.now(UTC) - timedelta(minutes=30)
    found = await adapter.find_calls(number, CALLEE, since)
    assert len(found) in {29, 30}
    assert len(sim.requests) == 1


class Version:
    """What an old SDK asks through."""

    def __init__(self) -> None:
        """Ask nobody yet."""
        self.asked: list[tuple[str, str, Mapping[str, object]]] = []

    def create(
        self, method: str, uri: str, data: Mapping[str, object]
    ) -> dict[str, object]:
        """Keep what is asked."""
        self.asked.append((method, uri, data))
        return {"sid": "CA1", "status": "queued"}


def test_an_old_sdk_gets_its_twiml_all_the_same() -> None:
    """Where the SDK's verb takes no TwiML, the request carries it."""

    class Calls:
        _version, _uri = Version(), "/Calls.json"

        def create(self, to: object, from_: object, url: object = None) -> Any:
            raise NotImplementedError

    calls = Calls()
    old = with_twiml(calls)
    assert isinstance(old, OldCalls)
    created = old.create(to="+1", from_="+2", twiml="<Response/>", time_limit=9)
    assert (created.sid, created.status) == ("CA1", "queued")
    data = {"To": "+1", "From": "+2", "Twiml": "<Response/>", "TimeLimit": 9}
    assert calls._version.asked == [("POST", "/Calls.json", data)]


def test_a_new_sdk_is_used_as_it_is() -> None:
    """Its own verb takes the TwiML."""

    class Calls:
        def create(self, to: object, twiml: object = None) -> None:
            """Take TwiML."""

    calls = Calls()
    assert with_twiml(calls) is calls
