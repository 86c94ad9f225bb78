"""Commands with codes under the same havoc: whom the home believes, and how often.

One contact has a PIN, another an app. Some texts bear a wrong code, some are a
stranger's, and each code of the app comes twice.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
import time
from typing import Final

import pyotp

from lab.home import HomeError
from lab.shaken.clock import OFFSET

from .world import Json, Traffic, World

_RECEIVED: Final = "virtual_sms_received"
_PIN_OWNER, _APP_OWNER, _STRANGER = "+33612345603", "+33612345604", "+33612345605"
_PIN, _WRONG = "4711", "0000"
_STEP: Final = 30
"""Seconds that a code of the app is shown."""
_MOST_WRONG: Final = 4
"""The fifth wrong code within an hour would lock its owner."""
_FLOW: Final = "/api/config/config_entries/subentries/flow"
PROMISES: Final = ("obeyed wrongly", "code used twice", "code told")
"""What must be zero."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What was written, and whether it may be believed."""

    sender: str
    word: str
    is_right: bool = False

    @property
    def is_of_app(self) -> bool:
        """Say whether its code may be believed once only."""
        return self.sender == _APP_OWNER


@dataclass(kw_only=True)
class Commands:
    """All that was written to command, by its ids."""

    sent: dict[str, Command] = field(default_factory=dict)
    wrong: int = 0
    key: str = field(default="", repr=False)

    async def set_up(self, world: World, traffic: Traffic) -> None:
        """Add who may command."""
        person = {"may_command": True}
        pin = {"name": "Ada", "numbers": [_PIN_OWNER], "code": "pin"}
        step = await _begin(world, traffic, person | pin)
        await world.home.ask("POST", f"{_FLOW}/{step['flow_id']}", {"pin": _PIN})
        app = {"name": "Bo", "numbers": [_APP_OWNER], "code": "totp"}
        step = await _begin(world, traffic, person | app)
        self.key = step["description_placeholders"]["key"]
        now = time.time() + float(world.home.plan.environment.get(OFFSET, 0.0))
        # The code that proves the app is used then: the one before leaves this one.
        for at in (now - _STEP, now):
            code = {"code": pyotp.TOTP(self.key).at(int(at))}
            end = await world.home.ask("POST", f"{_FLOW}/{step['flow_id']}", code)
            if end["type"] == "create_entry":
                return
        raise HomeError("the app does not prove itself")

    async def command(self, world: World, traffic: Traffic) -> None:
        """Have somebody write who may command, or seems to."""
        kinds = [self._write_pin, self._write_nothing, self._write_strange]
        kinds += [self._write_app] + [self._write_wrong] * (self.wrong < _MOST_WRONG)
        command = world.chance.choice(kinds)()
        for _ in range(2 if command.is_of_app else 1):
            self._send(world, traffic, command)
        await asyncio.sleep(0)

    def _write_pin(self) -> Command:
        return Command(sender=_PIN_OWNER, word=_PIN, is_right=True)

    def _write_nothing(self) -> Command:
        return Command(sender=_PIN_OWNER, word="please")

    def _write_strange(self) -> Command:
        return Command(sender=_STRANGER, word=_PIN)

    def _write_wrong(self) -> Command:
        self.wrong += 1
        return Command(sender=_PIN_OWNER, word=_WRONG)

    def _write_app(self) -> Command:
        word = pyotp.TOTP(self.key).now()
        return Command(sender=_APP_OWNER, word=word, is_right=True)

    def _send(self, world: World, traffic: Traffic, command: Command) -> None:
        text = f"open {len(self.sent)} {command.word}"
        provider = world.simulator.providers[traffic.provider]
        sender, number = command.sender, traffic.number
        message_id = str(provider.receive(sender, text, number=number))
        # It must not be lost either, as whatever people write.
        traffic.written[message_id] = text
        self.sent[message_id] = command


def count(world: World, commands: Commands) -> dict[str, int]:
    """Count which of them the home believed."""
    told = {
        each["data"]["message_id"]: each["data"]
        for each in world.events()
        if each["type"] == _RECEIVED and each["data"]["message_id"] in commands.sent
    }
    believed = [
        commands.sent[message_id]
        for message_id, data in told.items()
        if data["trust"] == "trusted"
    ]
    codes = Counter(each.word for each in believed if each.is_of_app)
    return {
        "commands": len(commands.sent),
        "obeyed": len(believed),
        "obeyed wrongly": sum(not each.is_right for each in believed),
        "code used twice": sum(each - 1 for each in codes.values()),
        "code told": sum(
            commands.sent[message_id].is_right
            and commands.sent[message_id].word in data["text"].split()
            for message_id, data in told.items()
        ),
    }


async def _begin(world: World, traffic: Traffic, contact: Json) -> Json:
    """Fill the form of a contact in, and return what comes next."""
    handler = {"handler": [traffic.entry_id, "contact"]}
    step = await world.home.ask("POST", _FLOW, handler)
    end: Json = await world.home.ask("POST", f"{_FLOW}/{step['flow_id']}", contact)
    return end
