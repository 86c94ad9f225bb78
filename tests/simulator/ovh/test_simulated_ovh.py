"""Hold the simulated OVHcloud against OVHcloud's own SDK."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
import ovh
import pytest

from simulator import Quirk, Simulator, Verdict
from tests.simulator.conftest import Home

TO = "+33612345678"
S = "/sms/sms-ab12345-1"
LINE = f"{S}/virtualNumbers/%2B33900000001"


async def get(client: ovh.Client, path: str, **query: Any) -> Any:
    """Fetch through the SDK."""
    return await asyncio.to_thread(lambda: client.get(path, **query))


async def send(client: ovh.Client, path: str = f"{LINE}/jobs", **changes: Any) -> Any:
    """Send a message through the SDK."""
    body = {"message": "Bonjour", "receivers": [TO]} | changes
    body = {name: value for name, value in body.items() if value is not ...}
    return await asyncio.to_thread(lambda: client.post(path, **body))


async def test_services_and_numbers(ovh_sdk: ovh.Client) -> None:
    """The account has two services, one with two numbers."""
    assert await get(ovh_sdk, "/sms") == ["sms-ab12345-1", "sms-ab12345-2"]
    numbers = ["+33900000001", "+33900000002"]
    assert await get(ovh_sdk, f"{S}/virtualNumbers") == numbers
    assert await get(ovh_sdk, "/sms/virtualNumbers") == numbers
    assert await get(ovh_sdk, "/sms/sms-ab12345-2/virtualNumbers") == []
    described = {"number": "+33900000001", "countryCode": "fr"}
    for spelled in ("%2B33900000001", "0033900000001", "+33900000001"):
        assert await get(ovh_sdk, f"{S}/virtualNumbers/{spelled}") == described
    infos = await get(ovh_sdk, f"{S}/serviceInfos")
    assert infos["status"] == "ok"
    own = "/sms/virtualNumbers/0033900000001"
    assert (await get(ovh_sdk, own))["iam"] is None
    assert (await get(ovh_sdk, f"{own}/serviceInfos"))["domain"] == "+33900000001"
    sender = await get(ovh_sdk, f"{S}/senders/%2B33900000001")
    assert (sender["type"], sender["status"]) == ("virtual", "enable")


@pytest.mark.parametrize(
    "path",
    [
        "/sms/sms-zz00000-1",
        f"{S}/virtualNumbers/%2B33900000009",
        f"{LINE}/outgoing/1",
        f"{LINE}/incoming/1",
        f"{LINE}/jobs/1",
        "/sms/nothing/at/all",
        "/telephony",
    ],
)
async def test_not_found(ovh_sdk: ovh.Client, path: str) -> None:
    """What does not exist answers 404."""
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        await get(ovh_sdk, path)


async def test_credentials(
    sim: Simulator, ovh_as: Callable[..., ovh.Client], ovh_sdk: ovh.Client
) -> None:
    """Each wrong secret has its error."""
    key = sim.ovh.consumer_key
    cases = [
        (
            ovh_as(key, application_secret="wrong"),
            ovh.exceptions.BadParametersError,
            "Invalid signature",
        ),
        (ovh_as(key, application_key="wrong"), ovh.exceptions.InvalidKey, "key"),
        (ovh_as("wrong"), ovh.exceptions.InvalidCredential, "not valid"),
    ]
    for client, kind, words in cases:
        with pytest.raises(kind, match=words):
            await get(client, "/sms")
    with pytest.raises(ovh.exceptions.NotCredential):
        await asyncio.to_thread(lambda: ovh_sdk.get("/sms", _need_auth=False))
    await get(ovh_sdk, "/sms")
    sim.ovh.auth.drift = 3600
    with pytest.raises(ovh.exceptions.BadParametersError, match="out of time"):
        await get(ovh_sdk, "/sms")
    assert await get(ovh_as(key), "/sms")
    sim.ovh.auth.expire(key)
    with pytest.raises(ovh.exceptions.InvalidCredential):
        await get(ovh_as(key), "/sms")


async def test_rights(sim: Simulator, ovh_as: Callable[..., ovh.Client]) -> None:
    """Rules decide what a consumer key may call."""
    limited = ovh_as(sim.ovh.limited_consumer_key)
    with pytest.raises(ovh.exceptions.NotGrantedCall):
        await get(limited, "/sms")
    with pytest.raises(ovh.exceptions.NotGrantedCall):
        await get(limited, "/sms/sms-ab12345-2")
    assert await get(limited, f"{S}/virtualNumbers")
    reader = ovh_as(sim.ovh.read_only_consumer_key)
    assert await get(reader, f"{LINE}/outgoing") == []
    with pytest.raises(ovh.exceptions.NotGrantedCall):
        await send(reader)
    rules = (await get(reader, "/auth/currentCredential"))["rules"]
    assert {"method": "GET", "path": "/sms/*"} in rules
    details = await get(reader, "/auth/details")
    assert details["allowedRoutes"] == rules
    assert sim.ovh.messages == []


async def test_click_flow(
    sim: Simulator, ovh_as: Callable[..., ovh.Client], home: Home
) -> None:
    """A consumer key works once a human has authorised it, and until logout."""
    client = ovh_as()
    request = client.new_consumer_key_request()
    request.add_recursive_rules(ovh.API_READ_WRITE, "/sms")
    answer = await asyncio.to_thread(lambda: request.request(f"{home.url}/back"))
    assert answer["state"] == "pendingValidation"
    with pytest.raises(ovh.exceptions.InvalidCredential):
        await get(client, "/sms")
    async with aiohttp.ClientSession() as session:
        async with session.get(answer["validationUrl"]) as page:
            assert "GET /sms/*" in await page.text()
        token = parse_qs(urlsplit(answer["validationUrl"]).query)["credentialToken"][0]
        form = {"credentialToken": token, "decision": "authorize"}
        async with session.post(answer["validationUrl"], data=form) as page:
            assert page.url.path == "/back"
        async with session.get(answer["validationUrl"]) as page:
            assert page.status == 404
    assert await get(client, "/sms")
    current = await get(client, "/auth/currentCredential")
    assert current["status"] == "validated"
    assert datetime.fromisoformat(current["expiration"]) > datetime.now(UTC)
    await asyncio.to_thread(lambda: client.post("/auth/logout"))
    with pytest.raises(ovh.exceptions.InvalidCredential):
        await get(client, "/sms")


async def test_click_refused(sim: Simulator, ovh_as: Callable[..., ovh.Client]) -> None:
    """A refused consumer key stays without use."""
    client = ovh_as()
    rules = [{"method": "GET", "path": "/sms"}]
    answer = await asyncio.to_thread(lambda: client.request_consumerkey(rules))
    sim.ovh.auth.refuse_click(answer["consumerKey"])
    with pytest.raises(ovh.exceptions.InvalidCredential):
        await get(client, "/sms")
    answer = await asyncio.to_thread(lambda: client.request_consumerkey(rules))
    sim.ovh.auth.authorize_click(answer["consumerKey"])
    assert await get(client, "/sms")
    with pytest.raises(ovh.exceptions.BadParametersError):
        await asyncio.to_thread(lambda: client.request_consumerkey([{"method": "EAT"}]))


async def test_send_then_deliver(
    sim: Simulator, ovh_sdk: ovh.Client, home: Home
) -> None:
    """A message is a job first, then outgoing, and its receipt is called back."""
    await asyncio.to_thread(lambda: ovh_sdk.put(S, callBack=f"{home.url}/dlr?k=v"))
    sim.automatic = False
    report = await send(ovh_sdk, tag="mine", receivers=[TO, "0033612345679", "0612"])
    assert report["validReceivers"] == [TO, "+33612345679"]
    assert report["invalidReceivers"] == ["0612"]
    assert (report["tag"], report["totalCreditsRemoved"]) == ("mine", 2.0)
    assert "creditsLeft" not in report
    first, second = report["ids"]
    assert set(await get(ovh_sdk, f"{LINE}/jobs")) == {first, second}
    assert await get(ovh_sdk, f"{LINE}/outgoing") == []
    job = await get(ovh_sdk, f"{LINE}/jobs/{first}")
    assert (job["receiver"], job["deliveryReceipt"]) == (TO, 0)
    await sim.ovh.advance(first, "sent")
    assert await get(ovh_sdk, f"{LINE}/outgoing") == [first]
    assert await get(ovh_sdk, f"{S}/outgoing") == [first]
    await sim.ovh.advance(first, "delivered")
    queries = [dict(request.query) for request in home.requests]
    assert [query["description"] for query in queries] == ["4", "1"]
    assert queries[1]["descriptionDlr"] == "Delivered"
    assert all(query["k"] == "v" for query in queries)
    assert {query["id"] for query in queries} == {str(first)}
    assert {request.method for request in home.requests} == {"GET"}
    item = await get(ovh_sdk, f"{LINE}/outgoing/{first}")
    assert (item["deliveryReceipt"], item["ptt"], item["tag"]) == (1, 4, "mine")
    assert datetime.fromisoformat(item["deliveredAt"]).tzinfo is not None
    assert (await get(ovh_sdk, S))["creditsLeft"] == 98.0
    await asyncio.to_thread(lambda: ovh_sdk.delete(f"{LINE}/jobs/{second}"))
    assert (await get(ovh_sdk, S))["creditsLeft"] == 99.0


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("style", "field"), [("description", "description"), ("dlr", "dlr")]
)
async def test_status_callback_forms(
    sim: Simulator, ovh_sdk: ovh.Client, home: Home, method: str, style: str, field: str
) -> None:
    """Both forms of the status callback are spoken."""
    sim.ovh.status_style, sim.ovh.status_method = style, method
    sim.ovh.service.call_back = f"{home.url}/dlr"
    await send(ovh_sdk)
    await sim.settled()
    last = dict(home.requests[-1].query) if method == "GET" else home.forms[-1]
    assert last[field] == "1"
    assert ("descriptionDlr" in last) is (style == "description")


@pytest.mark.parametrize(
    ("to", "states", "left"),
    [
        (TO, [(4, 3), (1, 4)], 99.0),
        ("+33600000124", [(4, 3), (2, 24)], 99.0),
        ("+33600000239", [(4, 3), (16, 39)], 100.0),
        ("+33600000300", [(4, 3)], 99.0),
        ("+33600000301", [], 99.0),
        ("+33600000302", [(4, 3), (8, 1), (1, 4)], 99.0),
    ],
)
async def test_special_recipients(
    sim: Simulator,
    ovh_sdk: ovh.Client,
    home: Home,
    to: str,
    states: list[tuple[int, int]],
    left: float,
) -> None:
    """The documented recipients end as the table says."""
    sim.ovh.service.call_back = home.url
    await send(ovh_sdk, receivers=[to])
    await sim.settled()
    queries = [request.query for request in home.requests]
    told = [(int(query["description"]), int(query["ptt"])) for query in queries]
    assert told == states
    assert sim.ovh.service.credits == left


async def test_invalid_receiver_is_reported(
    sim: Simulator, ovh_sdk: ovh.Client
) -> None:
    """A refused receiver is in a report with HTTP 200, and costs nothing."""
    report = await send(ovh_sdk, receivers=["+33600000001"])
    assert report["ids"] == []
    assert report["invalidReceivers"] == ["+33600000001"]
    assert sim.ovh.service.credits == 100.0
    assert sim.ovh.messages == []


async def test_no_credit(sim: Simulator, ovh_sdk: ovh.Client) -> None:
    """Without credits nothing is accepted."""
    sim.ovh.service.credits = 1.0
    with pytest.raises(ovh.exceptions.APIError, match="credits"):
        await send(ovh_sdk, message="x" * 161)
    with pytest.raises(ovh.exceptions.APIError, match="credits"):
        await send(ovh_sdk, receivers=["+33600000002"])
    assert sim.ovh.service.credits == 1.0
    assert sim.ovh.messages == []
    sim.ovh.service.expired = True
    with pytest.raises(ovh.exceptions.ResourceExpiredError):
        await send(ovh_sdk)


@pytest.mark.parametrize(
    "changes",
    [
        {"message": ...},
        {"message": 5},
        {"message": None},
        {"message": ""},
        {"receivers": TO},
        {"receivers": []},
        {"receivers": [33612345678]},
        {"charset": "latin1"},
        {"priority": "urgent"},
        {"validityPeriod": "soon"},
        {"tag": None},
        {"sender": "+33900000001"},
        {"noStopClause": True},
    ],
)
async def test_parameters_are_checked(
    sim: Simulator, ovh_sdk: ovh.Client, changes: dict[str, Any]
) -> None:
    """What the schema does not describe is refused."""
    with pytest.raises(ovh.exceptions.BadParametersError):
        await send(ovh_sdk, **changes)
    assert sim.ovh.messages == []


async def test_service_level_job(sim: Simulator, ovh_sdk: ovh.Client) -> None:
    """The general form takes a sender and reports what is left."""
    general = {"path": f"{S}/jobs", "sender": "+33900000002", "noStopClause": True}
    report = await send(ovh_sdk, **general)
    assert report["creditsLeft"] == 99.0
    assert sim.ovh.messages[0].sender == "+33900000002"
    with pytest.raises(ovh.exceptions.APIError, match="not allowed"):
        await send(ovh_sdk, **(general | {"sender": "HOME"}))
    await sim.settled()


async def test_outgoing_filters(sim: Simulator, ovh_sdk: ovh.Client) -> None:
    """Filters narrow the list of ids; wrong ones are refused."""
    (tagged,) = (await send(ovh_sdk, tag="one"))["ids"]
    (failed,) = (await send(ovh_sdk, receivers=["+33600000124"]))["ids"]
    await sim.settled()
    box, created = f"{LINE}/outgoing", sim.ovh.find(tagged).created
    assert await get(ovh_sdk, box, tag="one") == [tagged]
    assert await get(ovh_sdk, box, receiver="0033600000124") == [failed]
    assert await get(ovh_sdk, box, deliveryReceipt=2) == [failed]
    assert await get(ovh_sdk, box, ptt=4) == [tagged]
    both = {tagged, failed}
    assert set(await get(ovh_sdk, box, sender="+33900000001")) == both
    since = {"creationDatetime.from": created.replace(microsecond=0).isoformat()}
    assert set(await get(ovh_sdk, box, **since)) == both
    later = {"creationDatetime.from": (created + timedelta(hours=1)).isoformat()}
    assert await get(ovh_sdk, box, **later) == []
    until = {"creationDatetime.to": (created - timedelta(hours=1)).isoformat()}
    assert await get(ovh_sdk, box, **until) == []
    for wrong in ({"creationDatetime.from": "soon"}, {"ptt": "x"}, {"colour": "red"}):
        with pytest.raises(ovh.exceptions.BadParametersError):
            await get(ovh_sdk, box, **wrong)


async def test_incoming(sim: Simulator, ovh_sdk: ovh.Client) -> None:
    """What was written to a number is listed there, and can be erased."""
    old = sim.ovh.history(3, sender=TO)
    new = sim.ovh.receive("+33711111111", "Ça va ?")
    other = sim.ovh.receive(TO, "x", number="+33900000002")
    box = f"{LINE}/incoming"
    assert set(await get(ovh_sdk, box)) == {*old, new}
    assert set(await get(ovh_sdk, f"{S}/incoming")) == {*old, new, other}
    assert await get(ovh_sdk, box, sender="+33711111111") == [new]
    since = datetime.now(UTC) - timedelta(minutes=5)
    assert await get(ovh_sdk, box, **{"creationDatetime.from": since.isoformat()}) == [
        new
    ]
    item = await get(ovh_sdk, f"{box}/{new}")
    assert set(item) == {
        "creationDatetime",
        "credits",
        "id",
        "message",
        "sender",
        "tag",
    }
    assert item["message"] == "Ça va ?"
    await asyncio.to_thread(lambda: ovh_sdk.delete(f"{box}/{new}"))
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        await get(ovh_sdk, f"{box}/{new}")


async def test_batch(sim: Simulator, ovh_sdk: ovh.Client) -> None:
    """Many ids are fetched at once; a missing one does not spoil the others."""
    ids = sim.ovh.history(2, sender=TO)
    path = f"{LINE}/incoming/{ids[0]},{ids[1]},7"

    def batch() -> Any:
        headers = {"X-Ovh-Batch": ","}
        return ovh_sdk.raw_call("GET", path, headers=headers).json()

    answer = await asyncio.to_thread(batch)
    assert [each["key"] for each in answer] == [str(ids[0]), str(ids[1]), "7"]
    assert answer[0]["value"]["id"] == ids[0]
    assert answer[0]["error"] is None
    assert answer[2]["value"] is None
    assert "message" in answer[2]["error"]


async def test_callback_urls(sim: Simulator, ovh_sdk: ovh.Client) -> None:
    """Partial bodies change what they name; bad ones change nothing."""

    async def put(**body: Any) -> Any:
        return await asyncio.to_thread(lambda: ovh_sdk.put(S, **body))

    cgi = {"responseType": "cgi", "cgiUrl": "https://home.example/in"}
    assert await put(callBack="https://home.example/dlr") is None
    assert await put(smsResponse=cgi) is None
    account = await get(ovh_sdk, S)
    assert account["callBack"] == "https://home.example/dlr"
    assert account["smsResponse"]["cgiUrl"] == "https://home.example/in"
    assert await put(**account) is None
    for wrong in (
        {"callBack": "ftp://home.example"},
        {"callBack": 5},
        {"smsResponse": {"cgiUrl": "https://home.example"}},
        {"smsResponse": {"responseType": "pigeon"}},
        {"colour": "red"},
    ):
        with pytest.raises(ovh.exceptions.BadParametersError):
            await put(**wrong)
    assert await get(ovh_sdk, S) == account
    await put(callBack="", smsResponse={"responseType": "none"})
    account = await get(ovh_sdk, S)
    assert account["callBack"] == ""
    assert account["smsResponse"]["responseType"] == "none"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, Verdict.ACCEPTED), (204, Verdict.REJECTED), (503, Verdict.REJECTED)],
)
async def test_inbound_callback(
    sim: Simulator, home: Home, status: int, verdict: Verdict
) -> None:
    """An SMS is posted as a form, the URL's query repeated; only 200 counts."""
    home.status = status
    service = sim.ovh.service
    service.response_type, service.cgi_url = "cgi", f"{home.url}/in?token=a%2Bb"
    message_id = sim.ovh.receive(TO, "Ça & là", number="+33900000002")
    await sim.settled()
    assert home.requests[0].method == "POST"
    assert home.requests[0].query["token"] == "a+b"
    assert home.forms[0] == {
        "id": str(message_id),
        "senderid": TO,
        "message": "Ça & là",
        "shortcode": "+33900000002",
        "tag": "",
        "keyword": "",
        "token": "a+b",
    }
    assert [record.verdict for record in sim.callbacks] == [verdict]


async def test_no_callback_unless_cgi(sim: Simulator, home: Home) -> None:
    """A URL alone does not make OVHcloud push."""
    sim.ovh.service.cgi_url = home.url
    sim.ovh.receive(TO, "x")
    await sim.settled()
    assert home.requests == []


@pytest.mark.parametrize(
    ("quirk", "told"),
    [
        (Quirk.DUPLICATED, ["4", "4", "1", "1"]),
        (Quirk.REORDERED, ["1", "4"]),
        (Quirk.SUPPRESSED, []),
    ],
)
async def test_quirks(
    sim: Simulator, ovh_sdk: ovh.Client, home: Home, quirk: Quirk, told: list[str]
) -> None:
    """Callbacks misbehave as asked."""
    sim.ovh.quirks = {quirk}
    sim.ovh.service.call_back = home.url
    await send(ovh_sdk)
    await sim.settled()
    assert [request.query["description"] for request in home.requests] == told


async def test_forged_id(sim: Simulator, ovh_sdk: ovh.Client, home: Home) -> None:
    """A forged callback names a message that does not exist."""
    sim.ovh.quirks = {Quirk.FORGED}
    service = sim.ovh.service
    service.response_type, service.cgi_url = "cgi", home.url
    sim.ovh.receive(TO, "x")
    await sim.settled()
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        await get(ovh_sdk, f"{LINE}/incoming/{home.forms[0]['id']}")


async def test_stop_blacklists(sim: Simulator, ovh_sdk: ovh.Client) -> None:
    """Who texts STOP is blacklisted; a later message fails with ptt 53."""
    sim.ovh.receive(TO, "STOP")
    assert await get(ovh_sdk, f"{S}/blacklists") == [TO]
    listed = f"{S}/blacklists/{quote(TO)}"
    assert (await get(ovh_sdk, listed))["number"] == TO
    (message_id,) = (await send(ovh_sdk))["ids"]
    await sim.settled()
    item = await get(ovh_sdk, f"{LINE}/outgoing/{message_id}")
    assert (item["deliveryReceipt"], item["ptt"]) == (16, 53)
    await asyncio.to_thread(lambda: ovh_sdk.delete(listed))
    assert await get(ovh_sdk, f"{S}/blacklists") == []


async def test_small_calls(ovh_sdk: ovh.Client) -> None:
    """Reasons, estimates and rates are served."""
    assert (await get(ovh_sdk, "/sms/ptts", ptt=24))["duration"] == "temporary"
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        await get(ovh_sdk, "/sms/ptts", ptt=999)
    with pytest.raises(ovh.exceptions.BadParametersError):
        await get(ovh_sdk, "/sms/ptts")
    body = {"message": "ł" * 71, "noStopClause": True, "senderType": "virtual"}
    answer = await asyncio.to_thread(lambda: ovh_sdk.post("/sms/estimate", **body))
    assert answer == {
        "characters": 71,
        "charactersClass": "unicode",
        "maxCharactersPerPart": 67,
        "parts": 2,
    }
    rates = await get(ovh_sdk, "/sms/rates/destinations", country="fr")
    assert rates["credit"] == 1.0


async def test_differed_message_waits(sim: Simulator, ovh_sdk: ovh.Client) -> None:
    """A differed message stays a job until somebody moves it."""
    (message_id,) = (await send(ovh_sdk, differedPeriod=60))["ids"]
    await sim.settled()
    assert await get(ovh_sdk, f"{LINE}/jobs") == [message_id]
    await sim.ovh.fail(message_id, 8)
    assert sim.ovh.messages[0].receipt == 2
    assert sim.ovh.messages[0].ptt == 8
