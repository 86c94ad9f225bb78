"""Alarms and questions under the same havoc: who got how many texts, and what followed.

Each alarm has three steps and two rounds, so each of its people gets two texts, or
calls, at most; a question reaches each of its people once. A person answers now and
then, or presses the key.
"""

import asyncio
from collections import Counter
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
import re
import time
from typing import Final

from lab.home import HomeError
from simulator.twilio.models import Call

from .world import HARMLESS, Json, Traffic, World

ALERT, ANSWERED = "virtual_sms_alert", "virtual_sms_answered"
FIRST, SECOND = "+33612345601", "+33612345602"
CALLED: Final = (*["+15005553001"] * 3, "+15005553000", "+15005553010")
"""One presses the key, and is called more often; one is a voicemail, one is busy."""
ALARMED: Final = (FIRST, SECOND, *CALLED)
ROUNDS: Final = 2
STEP_AFTER: Final = 4
TIMEOUT: Final = 20
_AWAY: Final = 8
"""Seconds that a home is away at most: an answer that it missed still is one."""
_ANSWERING: Final = 0.75
_REFUSED: Final = 400
PROMISES: Final = (
    "texted twice",
    "phoned twice",
    "alarms lost",
    "taken, went on",
    "pressed, went on",
)
"""What must be zero."""
_SURELY: Final = 8.0
"""Seconds after which what was known must have had its effect, on a full disk too."""
_TEXT: Final = re.compile(r"alarm \d+")
_ENDS: Final = {"acknowledged", "exhausted", "canceled"}


@dataclass(kw_only=True)
class Alarms:
    """What was begun: our id of each once the caller has it, and which were asked."""

    alerts: dict[str, str | None] = field(default_factory=dict)
    questions: set[str] = field(default_factory=set)

    async def alarm(self, world: World, traffic: Traffic) -> None:
        """Begin an alarm, and perhaps take it somewhat later."""
        text = f"alarm {len(self.alerts)}"
        self.alerts[text] = None
        called = {"to": world.chance.choice(CALLED), "call": True}
        steps = [{"to": FIRST}, called, {"to": SECOND}]
        world.chance.shuffle(steps)
        data = {
            "config_entry_id": traffic.entry_id,
            "message": text,
            "steps": steps,
            "step_after": STEP_AFTER / world.haste,
            "rounds": ROUNDS,
        }
        with contextlib.suppress(*HARMLESS):
            answer = await _call(world, "alert", data)
            self.alerts[text] = answer["alert_id"]
        await self._answer(world, traffic, "ok")

    async def ask(self, world: World, traffic: Traffic) -> None:
        """Ask a question, and perhaps answer it.

        Home Assistant is not started before the actions have ended that were called
        over its API meanwhile, and this one takes its time.
        """
        with contextlib.suppress(*HARMLESS):
            state = await world.home.ask("GET", "/api/core/state")
            if state["state"] == "RUNNING":
                await self._ask(world, traffic)

    async def _ask(self, world: World, traffic: Traffic) -> None:
        text = f"question {len(self.questions)}"
        self.questions.add(text)
        data = {
            "config_entry_id": traffic.entry_id,
            "to": [FIRST, SECOND],
            "message": text,
            "answers": [{"id": "yes", "sentences": ["yes"]}],
            "timeout": max(TIMEOUT / world.haste, _AWAY),
        }
        await asyncio.gather(
            _call(world, "ask", data), self._answer(world, traffic, "yes")
        )

    async def _answer(self, world: World, traffic: Traffic, text: str) -> None:
        await asyncio.sleep(world.chance.uniform(0, 1.5 * STEP_AFTER) / world.haste)
        if world.chance.random() < _ANSWERING:
            provider = world.simulator.providers[traffic.provider]
            provider.receive(FIRST, text, number=traffic.number)


def count(world: World, alarms: Alarms) -> dict[str, int]:
    """Count what was begun, and what must not be."""
    events = list(world.events())
    return {
        "alerts": sum(each is not None for each in alarms.alerts.values()),
        "questions": len(alarms.questions),
        "answered": sum(each["type"] == ANSWERED for each in events),
        "phoned": len(world.simulator.twilio.phones.calls),
        "pressed": len(_list_pressed(world)),
        "texted twice": _count_repeats(world, alarms),
        "phoned twice": _count_repeated_calls(world),
        "alarms lost": _count_lost(events, alarms),
        "taken, went on": _count_restless(events),
        "pressed, went on": _count_unheard(world, events, alarms),
    }


def _count_repeats(world: World, alarms: Alarms) -> int:
    """Count the texts that somebody got too often."""
    copies: Counter[tuple[str, str]] = Counter(
        (each.to, each.text.partition("\n")[0])
        for provider in world.simulator.providers.values()
        for each in provider.messages
    )
    most = dict.fromkeys(alarms.alerts, ROUNDS) | dict.fromkeys(alarms.questions, 1)
    return sum(
        max(copies[to, text] - limit, 0)
        for text, limit in most.items()
        for to in (FIRST, SECOND)
    )


def _count_repeated_calls(world: World) -> int:
    """Count the calls that somebody got too often."""
    copies = Counter((each.to, _read(each)) for each in _list_calls(world))
    return sum(max(each - ROUNDS, 0) for each in copies.values())


def _list_calls(world: World) -> list[Call]:
    return world.simulator.twilio.phones.calls


def _read(call: Call) -> str:
    """Return the alarm that a call is about."""
    found = _TEXT.search(call.twiml)
    return found[0] if found else ""


def _list_pressed(world: World) -> list[Call]:
    """List the calls whose key was thanked for: then it is on disk."""
    return [each for each in _list_calls(world) if "Thank" in str(each.heard[-1:])]


def _count_unheard(world: World, events: list[Json], alarms: Alarms) -> int:
    """Count the keys after which an alarm went on to its end all the same."""
    since = datetime.now(UTC).timestamp() - time.monotonic()
    exhausted = {
        each["data"]["alert_id"]: each["at"] + since
        for each in events
        if each["type"] == ALERT and each["data"]["state"] == "exhausted"
    }
    # Of several keys the first one counts.
    pressed = {
        str(alarms.alerts.get(_read(each))): each.ended.timestamp()
        for each in reversed(_list_pressed(world))
        if each.ended
    }
    return sum(
        exhausted[alert_id] > at + _SURELY
        for alert_id, at in pressed.items()
        if alert_id in exhausted
    )


def _count_lost(events: list[Json], alarms: Alarms) -> int:
    """Count the alarms whose caller has their id, and that came to no end."""
    ended = {
        each["data"]["alert_id"]
        for each in events
        if each["type"] == ALERT and each["data"]["state"] in _ENDS
    }
    return sum(each not in ended for each in alarms.alerts.values() if each)


def _count_restless(events: list[Json]) -> int:
    """Count what happened to alarms after somebody had taken them."""
    ended: dict[str, str] = {}
    count = 0
    for each in events:
        if each["type"] == ALERT:
            alert_id, state = each["data"]["alert_id"], each["data"]["state"]
            # A change in flight at a kill comes once more.
            count += alert_id in ended and state != ended[alert_id]
            if state in _ENDS:
                ended[alert_id] = state
    return count


async def _call(world: World, action: str, data: Json) -> Json:
    path = f"/api/services/virtual_sms/{action}?return_response"
    status, answer = await world.home.request("POST", path, data)
    if status >= _REFUSED:
        raise HomeError(str(answer))
    response: Json = answer["service_response"]
    return response
