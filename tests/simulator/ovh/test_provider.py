"""Check what becomes of a message at OVHcloud, and its callbacks."""

import asyncio
from datetime import datetime
from urllib.parse import quote

import ovh
import pytest

from simulator import Quirk, Simulator, Verdict
from tests.simulator.conftest import Home
from tests.simulator.ovh.sdk import LINE, TO, S, get, send


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


async def test_differed_message_waits(sim: Simulator, ovh_sdk: ovh.Client) -> None:
    """A differed message stays a job until somebody moves it."""
    (message_id,) = (await send(ovh_sdk, differedPeriod=60))["ids"]
    await sim.settled()
    assert await get(ovh_sdk, f"{LINE}/jobs") == [message_id]
    await sim.ovh.fail(message_id, 8)
    assert sim.ovh.messages[0].receipt == 2
    assert sim.ovh.messages[0].ptt == 8
