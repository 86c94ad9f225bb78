"""Hold OVHcloud's calls below /sms against its own SDK."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import ovh
import pytest

from simulator import Simulator
from tests.simulator.ovh.sdk import LINE, TO, S, get, send


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
