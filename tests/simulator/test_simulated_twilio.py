"""Hold the simulated Twilio against Twilio's own SDK."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
import json
import re
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from simulator import Media, Quirk, Simulator, Verdict
from simulator.segments import count
from simulator.twilio_callbacks import sign

from .conftest import Home

TO = "+14155550100"
U = "https://mycompany.com/myapp.php?foo=1&bar=2"
P = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}


async def create(twilio: Client, **changes: Any) -> Any:
    """Send a message through the SDK."""
    values = {"to": TO, "from_": "+15005550006", "body": "Hello"} | changes
    return await asyncio.to_thread(lambda: twilio.messages.create(**values))


async def refusal(twilio: Client, **changes: Any) -> TwilioRestException:
    """Send a message that must be refused."""
    with pytest.raises(TwilioRestException) as caught:
        await create(twilio, **changes)
    return caught.value


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


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ł" * 70, 1),
        ("ł" * 135, 3),
        ("😀" * 36, 2),
        ("ł" * 66 + "😀" + "ł" * 66, 3),
        ("\r\n" * 160, 1),
    ],
)
def test_segments(text: str, segments: int) -> None:
    """The calculator's check values come out."""
    assert count(text).segments == segments


async def test_send_renders_every_field(sim: Simulator, twilio: Client) -> None:
    """An accepted message has the types of the schema."""
    sim.automatic = False
    message = await create(twilio, body="€" * 81)
    assert re.fullmatch(r"SM[0-9a-f]{32}", message.sid)
    assert (message.status, message.direction) == ("queued", "outbound-api")
    assert (message.num_segments, message.num_media) == ("2", "0")
    assert message.price is None
    assert message.date_sent is None
    assert message.date_created.tzinfo is not None
    assert [m.id for m in sim.twilio.messages] == [message.sid]


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


@pytest.mark.parametrize(
    ("to", "statuses", "code"),
    [
        ("+15005551003", ["sent", "undelivered"], "30003"),
        ("+15005551006", ["sent", "undelivered"], "30006"),
        ("+15005551007", ["sent", "undelivered"], "30007"),
        ("+15005551034", ["sent", "undelivered"], "30034"),
        ("+15005551001", ["failed"], "30001"),
        ("+15005552000", ["sent"], None),
        ("+15005552001", [], None),
    ],
)
async def test_special_recipients_end_badly(
    sim: Simulator,
    twilio: Client,
    home: Home,
    to: str,
    statuses: list[str],
    code: str | None,
) -> None:
    """The documented recipients end as the table says."""
    await create(twilio, to=to, status_callback=home.url)
    await sim.settled()
    assert [form["MessageStatus"] for form in home.forms] == statuses
    if code is not None:
        assert home.forms[-1]["ErrorCode"] == code
    assert all("ErrorCode" not in form for form in home.forms[:-1])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550005"}, 21608),
        ({"to": "+15005550007"}, 21606),
        ({"to": "+15005550009"}, 21614),
        ({"to": "0612345678"}, 21211),
        ({"to": "+15005550006"}, 21266),
        ({"from_": "+15005550001"}, 21212),
        ({"from_": "+14155550111"}, 21606),
        ({"from_": "+15005550011"}, 21606),
        ({"from_": "nonsense"}, 21212),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"media_url": [f"https://example.com/{n}" for n in range(11)]}, 21623),
        ({"media_url": ["file:///etc/passwd"]}, 21620),
        (
            {"from_": "+15005550010", "media_url": ["https://example.com/a.png"]},
            21612,
        ),
        ({"status_callback": "http://my_home.example/x"}, 21609),
        ({"status_callback": "not a url"}, 21609),
    ],
)
async def test_refusals(
    sim: Simulator, twilio: Client, changes: dict[str, Any], code: int
) -> None:
    """What Twilio refuses is refused with its code, and not accepted."""
    error = await refusal(twilio, **changes)
    assert error.code == code
    assert error.status == 400
    assert sim.twilio.messages == []


async def test_queue_overflow_is_a_429(twilio: Client) -> None:
    """A full queue answers 21611 with 429."""
    error = await refusal(twilio, to="+15005550008")
    assert (error.status, error.code) == (429, 21611)


async def test_missing_fields(sim: Simulator) -> None:
    """Without To or From the codes differ."""
    auth = aiohttp.encode_basic_auth(sim.twilio.ACCOUNT_SID, sim.twilio.auth_token)
    url = f"{sim.url}/2010-04-01/Accounts/{sim.twilio.ACCOUNT_SID}/Messages.json"
    headers = {"Authorization": auth}
    async with aiohttp.ClientSession(headers=headers) as session:
        for form, code in (({"Body": "x"}, 21604), ({"To": TO, "Body": "x"}, 21603)):
            async with session.post(url, data=form) as response:
                error = await response.json()
                assert (response.status, error["code"]) == (400, code)
                assert set(error) == {"code", "message", "more_info", "status"}
                assert response.headers["Twilio-Request-Id"].startswith("RQ")


async def test_stop_and_start(sim: Simulator, twilio: Client) -> None:
    """Who texts STOP is out of reach until START."""
    sim.twilio.receive(TO, "Stop")
    assert (await refusal(twilio)).code == 21610
    sim.twilio.receive(TO, "START")
    await create(twilio)
    await sim.settled()


async def test_credentials(
    sim: Simulator, twilio: Client, twilio_as: Callable[..., Client]
) -> None:
    """Each kind of credential reaches what it may, and no more."""
    play = sim.twilio
    standard = twilio_as(play.API_KEY_SID, play.API_KEY_SECRET)
    restricted = twilio_as(play.RESTRICTED_KEY_SID, play.RESTRICTED_KEY_SECRET)

    def outcome(client: Client, what: str) -> int:
        calls = {
            "numbers": lambda: client.incoming_phone_numbers.list(limit=1),
            "account": client.api.accounts(play.ACCOUNT_SID).fetch,
            "balance": client.api.accounts(play.ACCOUNT_SID).balance.fetch,
            "messages": lambda: client.messages.list(limit=1),
        }
        try:
            calls[what]()
        except TwilioRestException as err:
            return err.code
        except TwilioException as err:
            # The lists of the SDK hide the code in the response.
            return json.loads(err.args[1].text)["code"]
        return 0

    async def outcomes(client: Client) -> list[int]:
        names = ("numbers", "account", "balance", "messages")
        return [await asyncio.to_thread(outcome, client, name) for name in names]

    assert await outcomes(twilio) == [0, 0, 0, 0]
    assert await outcomes(standard) == [0, 20003, 0, 0]
    assert await outcomes(restricted) == [70051, 70051, 70051, 0]
    assert await outcomes(twilio_as(play.ACCOUNT_SID, "wrong")) == [20003] * 4
    assert await outcomes(twilio_as("SK" + "9" * 32, "")) == [20003] * 4
    play.suspended = True
    assert await outcomes(twilio) == [20005] * 4


async def test_another_account_is_not_found(sim: Simulator) -> None:
    """Good credentials do not open another account's path."""
    auth = aiohttp.encode_basic_auth(sim.twilio.ACCOUNT_SID, sim.twilio.auth_token)
    url = f"{sim.url}/2010-04-01/Accounts/AC{'9' * 32}/Messages.json"
    async with (
        aiohttp.ClientSession(headers={"Authorization": auth}) as session,
        session.get(url) as response,
    ):
        assert response.status == 404


async def test_account_and_balance(sim: Simulator, twilio: Client) -> None:
    """The account answers with its token, the balance as a string."""
    account = twilio.api.accounts(sim.twilio.ACCOUNT_SID)
    fetched = await asyncio.to_thread(account.fetch)
    assert (fetched.status, fetched.auth_token) == ("active", sim.twilio.auth_token)
    balance = await asyncio.to_thread(account.balance.fetch)
    assert (balance.balance, balance.currency) == ("12.34", "USD")


async def test_numbers(sim: Simulator, twilio: Client) -> None:
    """Numbers tell what they can do and take new URLs."""
    numbers = await asyncio.to_thread(twilio.incoming_phone_numbers.list)
    found = {
        n.phone_number: (n.capabilities["sms"], n.capabilities["mms"]) for n in numbers
    }
    assert found == {
        "+15005550006": (True, True),
        "+15005550010": (True, False),
        "+15005550011": (False, False),
    }
    sid = numbers[0].sid
    number = twilio.incoming_phone_numbers(sid)
    url = "https://home.example/hook"
    updated = await asyncio.to_thread(lambda: number.update(sms_url=url))
    assert (updated.sms_url, updated.sms_method) == (url, "POST")
    assert sim.twilio.numbers["+15005550006"].sms_url == url
    for change, code in (({"sms_url": "nope"}, 21402), ({"sms_method": "PUT"}, 21403)):
        with pytest.raises(TwilioRestException) as caught:
            await asyncio.to_thread(lambda change=change: number.update(**change))
        assert caught.value.code == code


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


async def alerts(twilio: Client, **filters: Any) -> list[Any]:
    """List the alerts through the SDK."""
    return await asyncio.to_thread(lambda: twilio.monitor.v1.alerts.list(**filters))


async def test_failed_callbacks_are_alerts(
    sim: Simulator, twilio: Client, home: Home
) -> None:
    """What went wrong with a callback stands in the account's record."""
    number = sim.twilio.numbers[sim.twilio.NUMBER]
    number.sms_url = home.url
    for home.status, home.content_type in (
        (200, "text/xml"),
        (502, "text/xml"),
        (200, "text/html"),
    ):
        sim.twilio.receive(TO, "x")
        await sim.settled()
    warning, failed = await alerts(twilio)
    assert (warning.error_code, warning.log_level) == ("12300", "warning")
    assert (failed.error_code, failed.log_level) == ("11200", "error")
    assert (failed.request_url, failed.request_method) == (home.url, "POST")
    assert "httpResponse=502" in failed.alert_text
    assert failed.resource_sid == sim.twilio.inbound[1].id
    age = datetime.now(UTC) - failed.date_generated
    assert timedelta(0) <= age < timedelta(minutes=1)
    assert [each.sid for each in await alerts(twilio)] == [warning.sid, failed.sid]
    fetched = await asyncio.to_thread(twilio.monitor.v1.alerts(failed.sid).fetch)
    assert fetched.error_code == "11200"
    sim.reset()
    assert await alerts(twilio) == []


async def test_alerts_are_filtered_and_paged(sim: Simulator, twilio: Client) -> None:
    """By level and time, newest first; what is no level or time is refused."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for minute in range(5):
        at = noon + timedelta(minutes=minute)
        sim.twilio.add_alert(11205 + minute, "https://home.example", at=at)
    sim.twilio.add_alert(1, "https://home.example", at=noon, level="warning")
    end = noon + timedelta(minutes=3)
    found = await alerts(
        twilio, log_level="error", start_date=noon, end_date=end, page_size=3
    )
    assert [each.error_code for each in found] == ["11208", "11207", "11206", "11205"]
    for wrong in ({"log_level": "loud"}, {"start_date": "soon"}):
        with pytest.raises(TwilioException, match="20001"):
            await alerts(twilio, **wrong)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(twilio.monitor.v1.alerts("NO" + "0" * 32).fetch)
    assert caught.value.code == 20404


async def test_restricted_key_reads_no_alerts(
    sim: Simulator, twilio_as: Callable[..., Client]
) -> None:
    """Neither does a wrong one."""
    restricted = twilio_as(
        sim.twilio.RESTRICTED_KEY_SID, sim.twilio.RESTRICTED_KEY_SECRET
    )
    for client, code in (
        (restricted, 70051),
        (twilio_as(sim.twilio.ACCOUNT_SID, "x"), 20003),
    ):
        with pytest.raises(TwilioException, match=str(code)):
            await alerts(client)


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


async def test_paging(sim: Simulator, twilio: Client) -> None:
    """The SDK walks all pages, newest first; newcomers shift nothing."""
    ids = sim.twilio.history(120, sender=TO)
    listed = await asyncio.to_thread(
        lambda: twilio.messages.list(to=sim.twilio.NUMBER, page_size=50)
    )
    assert [message.sid for message in listed] == ids[::-1]
    lists = [
        record.query for record in sim.requests if record.path.endswith("Messages.json")
    ]
    assert [query.get("Page") for query in lists] == [None, "1", "2"]
    assert all(query["To"] == sim.twilio.NUMBER for query in lists)

    first = await asyncio.to_thread(lambda: twilio.messages.page(page_size=50))
    sim.twilio.receive(TO, "newcomer")
    second = await asyncio.to_thread(first.next_page)
    assert next(iter(second)).sid == ids[69]


async def test_filters(sim: Simulator, twilio: Client) -> None:
    """Senders and dates choose, to the second and to the day."""
    newest = datetime(2026, 1, 10, 12, 0, 0, 900_000, tzinfo=UTC)
    ids = sim.twilio.history(4, sender=TO, newest=newest, every=timedelta(days=1))
    sim.twilio.history(1, sender=TO, newest=newest, outbound=True)

    async def found(**filters: Any) -> set[str]:
        filters = {"from_": TO} | filters
        listed = await asyncio.to_thread(lambda: twilio.messages.list(**filters))
        return {message.sid for message in listed}

    assert await found() == set(ids)
    assert await found(to="+19999999999") == set()
    moment = newest.replace(microsecond=0)
    assert await found(date_sent_after=moment) == {ids[3]}
    assert await found(date_sent_after=moment - timedelta(days=1)) == set(ids[2:])
    assert await found(date_sent_before=moment - timedelta(days=2)) == set(ids[:2])
    assert await found(date_sent=newest.date()) == {ids[3]}
    assert await found(date_sent=moment) == {ids[3]}
    with pytest.raises(TwilioException):
        await found(date_sent="yesterday")


async def test_redact_and_delete(sim: Simulator, twilio: Client) -> None:
    """A finished message can be emptied and deleted, a pending one not."""
    sim.automatic = False
    message = await create(twilio)
    resource = twilio.messages(message.sid)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(resource.delete)
    assert caught.value.code == 20009
    await sim.twilio.advance(message.sid, "delivered")
    redacted = await asyncio.to_thread(lambda: resource.update(body=""))
    assert redacted.body == ""
    assert await asyncio.to_thread(resource.delete)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(resource.fetch)
    assert (caught.value.status, caught.value.code) == (404, 20404)


async def test_media_of_a_message(sim: Simulator, twilio: Client) -> None:
    """Files are listed, described and deleted."""
    urls = ["https://example.com/a.jpg", "https://example.com/b.jpg"]
    message = await create(twilio, media_url=urls, body="")
    assert message.sid.startswith("MM")
    assert message.num_media == "2"
    media = twilio.messages(message.sid).media
    listed = await asyncio.to_thread(media.list)
    assert [each.content_type for each in listed] == ["image/jpeg"] * 2
    assert await asyncio.to_thread(media(listed[0].sid).delete)
    assert len(await asyncio.to_thread(media.list)) == 1
    assert [each.url for each in sim.twilio.messages[0].media] == urls[1:]
    await sim.settled()


async def test_service_and_schedule(sim: Simulator, twilio: Client) -> None:
    """A service accepts first; what is scheduled can be canceled."""
    service = {"from_": None, "messaging_service_sid": sim.twilio.MESSAGING_SERVICE_SID}
    sim.automatic = False
    message = await create(twilio, **service)
    assert (message.status, message.num_segments) == ("accepted", "0")
    later = datetime.now(UTC) + timedelta(hours=1)
    message = await create(twilio, **service, schedule_type="fixed", send_at=later)
    assert message.status == "scheduled"
    resource = twilio.messages(message.sid)
    canceled = await asyncio.to_thread(lambda: resource.update(status="canceled"))
    assert canceled.status == "canceled"
    soon = datetime.now(UTC)
    error = await refusal(twilio, **service, schedule_type="fixed", send_at=soon)
    assert error.code == 35114
    error = await refusal(twilio, messaging_service_sid="MG" + "0" * 32)
    assert error.code == 21703


async def test_by_hand(sim: Simulator, twilio: Client, home: Home) -> None:
    """Statuses follow the hand when the world is not automatic."""
    sim.automatic = False
    message = await create(twilio, status_callback=home.url)
    await sim.twilio.advance(message.sid, "sent")
    await sim.twilio.fail(message.sid, 30005)
    assert [form["MessageStatus"] for form in home.forms] == ["sent", "undelivered"]
    assert sim.twilio.messages[0].error_code == 30005
    assert sim.twilio.messages[0].statuses == ["queued", "sent", "undelivered"]
    with pytest.raises(ValueError, match="knows no status"):
        await sim.twilio.advance(message.sid, "eaten")


async def test_dates_are_rfc_2822(sim: Simulator) -> None:
    """Dates parse as e-mail dates."""
    sid = sim.twilio.receive(TO, "x", callback=False)
    rendered = sim.twilio.api.render(sim.twilio.find(sid))
    assert parsedate_to_datetime(str(rendered["date_sent"])).tzinfo is not None
    assert rendered["direction"] == "inbound"
