"""Hold Twilio's REST API against Twilio's own SDK."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
import json
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from simulator import Simulator
from tests.simulator.conftest import Home
from tests.simulator.twilio.sdk import TO, create


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
