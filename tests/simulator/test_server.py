"""Check the life of a simulator, its handset and its command."""

import asyncio
import os
from pathlib import Path
import re
import signal
import sys
from typing import Any

import aiohttp
import pytest

from simulator import Simulator

from .conftest import Home

TO = "+14155550100"


ROOT = Path(__file__).parents[2]


async def test_nothing_is_left_behind() -> None:
    """Leaving the context ends sleeping steps, hanging callbacks, slow answers."""
    before = asyncio.all_tasks()
    async with Simulator() as sim, aiohttp.ClientSession() as session:
        sim.pace = 60
        sim.faults.add("slow", path="/auth/time", delay=60)
        sim.twilio.numbers[sim.twilio.NUMBER].sms_url = f"{sim.url}/1.0/auth/time"
        sim.twilio.receive(TO, "x")
        auth = aiohttp.encode_basic_auth(*sim.twilio.credentials.values())
        account = sim.twilio.ACCOUNT_SID
        url = f"{sim.url}/2010-04-01/Accounts/{account}/Messages.json"
        form = {"To": TO, "From": sim.twilio.NUMBER, "Body": "x"}
        headers = {"Authorization": auth}
        async with session.post(url, data=form, headers=headers) as response:
            assert response.status == 201
        assert asyncio.all_tasks() - before
    await asyncio.sleep(0)
    assert not asyncio.all_tasks() - before
    with pytest.raises(aiohttp.ClientError):
        async with aiohttp.ClientSession() as session, session.get(sim.url):
            pass


async def test_answer_comes_before_the_first_callback(
    sim: Simulator, home: Home
) -> None:
    """Even without a pace, the sender hears of its message first."""
    order: list[str] = []
    home_answer = home.answer

    async def noted(request: Any) -> Any:
        order.append("callback")
        return await home_answer(request)

    home.answer = noted  # type: ignore[method-assign]
    auth = aiohttp.encode_basic_auth(*sim.twilio.credentials.values())
    url = f"{sim.url}/2010-04-01/Accounts/{sim.twilio.ACCOUNT_SID}/Messages.json"
    form = {
        "To": TO,
        "From": sim.twilio.NUMBER,
        "Body": "x",
        "StatusCallback": home.url,
    }
    async with aiohttp.ClientSession(headers={"Authorization": auth}) as session:
        async with session.post(url, data=form):
            order.append("answer")
        await sim.settled()
    assert order[0] == "answer"


async def test_handset_is_served(sim: Simulator) -> None:
    """The page stands alone: it loads nothing from elsewhere."""
    async with aiohttp.ClientSession() as session, session.get(sim.url) as response:
        page = await response.text()
    assert response.content_type == "text/html"
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_command() -> None:
    """The command says where it serves, and ends on a signal."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulator",
        "--port",
        "0",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found is not None
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{found[0]}1.0/auth/time") as response,
    ):
        assert isinstance(await response.json(), int)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0
