"""Hold Twilio's callbacks against its SDK's validator, and its judgement of answers."""

import asyncio

import aiohttp
import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from simulator import Media, Quirk, Simulator, Verdict
from simulator.twilio.callbacks import sign
from tests.simulator.conftest import Home
from tests.simulator.twilio.sdk import TO, create

U = "https://mycompany.com/myapp.php?foo=1&bar=2"


P = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}


@pytest.mark.parametrize(
    ("url", "form", "signature"),
    [
        (U, P, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (U.replace(".com", ".com:443"), P, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (
            U.replace("https", "http").replace(".com", ".com:80"),
            P,
            "0ZXoZLH/DfblKGATFgpif+LLRf4=",
        ),
        (
            U.replace("https", "http").replace(".com", ".com:1234"),
            P,
            "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
        ),
        ("https://user:secret@mycompany.com/myapp.php?foo=1&bar=2#rc=2", P, None),
    ],
)
def test_signature_vectors(url: str, form: dict[str, str], signature: str) -> None:
    """The documented vectors come out, whatever surrounds the URL."""
    expected = signature or "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert sign("12345", url, form.items()) == expected


def test_signature_of_repeated_names() -> None:
    """Values of one name are unique and sorted."""
    fields = [
        ("Sid", "CA123"),
        ("SidAccount", "AC123"),
        ("Digits", "5678"),
        ("Digits", "1234"),
        ("Digits", "1234"),
    ]
    assert sign("12345", U, fields) == "IK+Dwps556ElfBT0I3Rgjkr1wJU="


async def test_statuses_are_called_back_in_order(
    sim: Simulator, twilio: Client, home: Home
) -> None:
    """Each step is posted, signed with the account's token."""
    url = f"{home.url}/hook?number=1"
    message = await create(twilio, status_callback=url)
    await sim.settled()
    assert [form["MessageStatus"] for form in home.forms] == ["sent", "delivered"]
    validator = RequestValidator(sim.twilio.auth_token)
    for request, form in zip(home.requests, home.forms, strict=True):
        signature = request.headers["X-Twilio-Signature"]
        assert validator.validate(url, form, signature)
        assert form["MessageSid"] == form["SmsSid"] == message.sid
        assert form["AccountSid"] == sim.twilio.ACCOUNT_SID
    assert [record.verdict for record in sim.callbacks] == [Verdict.ACCEPTED] * 2
    fetched = await asyncio.to_thread(twilio.messages(message.sid).fetch)
    assert (fetched.status, fetched.price) == ("delivered", "-0.00790")


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_inbound(sim: Simulator, home: Home, method: str) -> None:
    """An SMS to the home is posted, signed, by the number's method."""
    number = sim.twilio.numbers[sim.twilio.NUMBER]
    number.sms_url, number.sms_method = f"{home.url}/in?a=1#rc=2", method
    sid = sim.twilio.receive(TO, "Hé & +, <b>", media=[Media("image/jpeg")])
    await sim.settled()
    request = home.requests[0]
    form = home.forms[0] if method == "POST" else dict(request.query)
    assert sid.startswith("MM")
    assert (form["MessageSid"], form["Body"]) == (sid, "Hé & +, <b>")
    assert (form["From"], form["To"], form["NumMedia"]) == (
        TO,
        sim.twilio.NUMBER,
        "1",
    )
    assert form["FromCity"] == ""
    url = f"{home.url}/in?a=1" if method == "POST" else str(request.url)
    validator = RequestValidator(sim.twilio.auth_token)
    signed = home.forms[0] if method == "POST" else {}
    raw = home.url + request.raw_path if method == "GET" else url
    assert validator.validate(raw, signed, request.headers["X-Twilio-Signature"])
    async with aiohttp.ClientSession() as session:
        auth = aiohttp.encode_basic_auth(sim.twilio.ACCOUNT_SID, sim.twilio.auth_token)
        headers = {"Authorization": auth}
        media = form["MediaUrl0"]
        async with session.get(media) as response:
            assert response.status == 401
        async with session.get(media, headers=headers) as response:
            assert response.content_type == "image/jpeg"
            assert (await response.read()).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("status", "content_type", "body", "verdict", "code"),
    [
        (200, "text/xml", "<Response/>", Verdict.ACCEPTED, None),
        (204, "text/plain", "", Verdict.ACCEPTED, None),
        (200, "text/plain", "ok", Verdict.TEXTED_BACK, None),
        (
            200,
            "text/xml",
            "<Response><Message>hi</Message></Response>",
            Verdict.TEXTED_BACK,
            None,
        ),
        (200, "text/xml", "<Response>", Verdict.WARNING, 12100),
        (200, "text/xml", "<Answer/>", Verdict.WARNING, 12200),
        (200, "application/json", "{}", Verdict.WARNING, 12300),
        (403, "text/plain", "no", Verdict.REJECTED, 11200),
        (500, "text/plain", "", Verdict.REJECTED, 11200),
    ],
)
async def test_answers_are_judged(
    sim: Simulator,
    home: Home,
    status: int,
    content_type: str,
    body: str,
    verdict: Verdict,
    code: int | None,
) -> None:
    """An answer means to the simulator what it means to Twilio, once."""
    home.status, home.content_type, home.body = status, content_type, body
    sim.twilio.numbers[sim.twilio.NUMBER].sms_url = home.url
    sim.twilio.receive(TO, "x")
    await sim.settled()
    (record,) = sim.callbacks
    assert (record.verdict, record.error_code) == (verdict, code)
    assert record.words
    assert len(home.requests) == 1


async def test_unreachable_home(sim: Simulator) -> None:
    """A home that is not there is recorded, its fallback tried."""
    number = sim.twilio.numbers[sim.twilio.NUMBER]
    number.sms_url = "http://127.0.0.1:1/in"
    sim.twilio.receive(TO, "x")
    await sim.settled()
    assert sim.callbacks[0].verdict is Verdict.UNREACHABLE
    assert sim.callbacks[0].error_code == 11205
    assert not sim.callbacks[0].reached


async def test_slow_home_times_out(sim: Simulator, home: Home) -> None:
    """A home that does not answer in time is not asked again."""
    sim.poster.timeout = aiohttp.ClientTimeout(total=0.05)
    home.delay = 0.3
    sim.twilio.numbers[sim.twilio.NUMBER].sms_url = home.url
    sim.twilio.receive(TO, "x")
    await sim.settled()
    (record,) = sim.callbacks
    assert record.verdict is Verdict.TIMED_OUT
    assert record.reached


async def test_fallback_url(sim: Simulator, home: Home) -> None:
    """A refused callback goes to the fallback URL, with the error."""
    home.status = 500
    number = sim.twilio.numbers[sim.twilio.NUMBER]
    number.sms_url = f"{home.url}/first"
    number.sms_fallback_url = f"{home.url}/second"
    sim.twilio.receive(TO, "x")
    await sim.settled()
    assert [request.path for request in home.requests] == ["/first", "/second"]
    assert home.forms[1]["ErrorCode"] == "11200"


async def test_no_url_no_callback(sim: Simulator, home: Home) -> None:
    """Without a URL, or with an application, nothing is posted."""
    sim.twilio.receive(TO, "x")
    number = sim.twilio.numbers[sim.twilio.NUMBER]
    number.sms_url, number.sms_application_sid = home.url, "AP" + "1" * 32
    sim.twilio.receive(TO, "x")
    await sim.settled()
    assert sim.callbacks == []
    assert len(sim.twilio.inbound) == 2


async def test_rerouted_callback_is_signed_for_the_public_url(
    sim: Simulator, home: Home
) -> None:
    """A reverse proxy changes where it goes, not what is signed."""
    public = "https://home.example.org/api/webhook/abc"
    sim.reroute["https://home.example.org"] = home.url
    sim.twilio.numbers[sim.twilio.NUMBER].sms_url = public
    sim.twilio.receive(TO, "x")
    await sim.settled()
    assert home.requests[0].path == "/api/webhook/abc"
    validator = RequestValidator(sim.twilio.auth_token)
    signature = home.requests[0].headers["X-Twilio-Signature"]
    assert validator.validate(public, home.forms[0], signature)


@pytest.mark.parametrize(
    ("quirk", "statuses"),
    [
        (Quirk.DUPLICATED, ["sent", "sent", "delivered", "delivered"]),
        (Quirk.REORDERED, ["delivered", "sent"]),
        (Quirk.SUPPRESSED, []),
        (Quirk.FORGED, ["sent", "delivered"]),
    ],
)
async def test_quirks(
    sim: Simulator, twilio: Client, home: Home, quirk: Quirk, statuses: list[str]
) -> None:
    """Callbacks misbehave as asked."""
    sim.twilio.quirks = {quirk}
    await create(twilio, status_callback=home.url)
    await sim.settled()
    assert [form["MessageStatus"] for form in home.forms] == statuses
    validator = RequestValidator(sim.twilio.auth_token)
    for request, form in zip(home.requests, home.forms, strict=True):
        signature = request.headers["X-Twilio-Signature"]
        genuine = validator.validate(f"{home.url}", form, signature)
        assert genuine is (quirk is not Quirk.FORGED)
