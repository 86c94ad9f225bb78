"""Watch a real Home Assistant text through Twilio and OVHcloud.

python -m lab.demo          sets everything up and stays for you to play with
python -m lab.demo --once   makes the round trip, checks it from outside, ends
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import signal
import sys
from typing import Any

from simulator import Simulator

from .dashboard import show_dashboard
from .home import PROJECT, Home, HomeError, Plan, free_port

FOLDER = PROJECT / ".demo"
_ASK_THE_INTERNET = {"google_translate", "met", "radio_browser"}
RECEIVED, STATUS = "virtual_sms_received", "virtual_sms_status"
SENDER, FRIEND = "+33612345678", "+33698765432"
_TIMEOUT = 30.0
_AUTOMATION = {
    "alias": "Answer every SMS",
    "description": "Texts back what was received",
    "triggers": [{"trigger": "event", "event_type": RECEIVED}],
    "actions": [
        {
            "action": "virtual_sms.send_message",
            "data": {
                "config_entry_id": "{{ trigger.event.data.entry_id }}",
                "to": "{{ trigger.event.data.sender }}",
                "message": "The house heard: {{ trigger.event.data.text }}",
            },
        }
    ],
    # Nobody should be answered twice at a time.
    "mode": "queued",
}


@dataclass(frozen=True)
class Line:
    """A number as a newcomer would add it."""

    provider: str
    title: str
    number: str
    credentials: dict[str, str]


class Checks:
    """Count what was checked, and say it as it happens."""

    def __init__(self) -> None:
        """Start at zero."""
        self.passed = 0

    def check(self, what: str, passed: object, found: object = "") -> None:
        """Note a check; a failed one ends the demo."""
        if not passed:
            raise HomeError(f"not so: {what} (found: {found})")
        self.passed += 1
        print(f"    ok  {what}", flush=True)

    async def wait[T](self, what: str, look: Callable[[], T]) -> T:
        """Note a check that may take a moment to come true."""
        found = look()
        try:
            async with asyncio.timeout(_TIMEOUT):
                while not found:
                    await asyncio.sleep(0.05)
                    found = look()
        except TimeoutError:
            pass
        self.check(what, found, "nothing in time")
        return found


def list_lines(simulator: Simulator) -> list[Line]:
    """List the numbers of the demo, one of each provider."""
    return [
        Line(
            "twilio",
            "Twilio number",
            simulator.twilio.NUMBER,
            simulator.twilio.credentials,
        ),
        Line("ovh", "OVH number", simulator.ovh.NUMBER, simulator.ovh.credentials),
    ]


def callback_url(simulator: Simulator, line: Line) -> str:
    """Return the URL at which the provider publishes incoming messages."""
    lines = simulator.providers[line.provider].lines()
    return next(
        str(each["callback_url"]) for each in lines if each["number"] == line.number
    )


@asynccontextmanager
async def demo_home(folder: Path) -> AsyncIterator[tuple[Simulator, Home]]:
    """Start the simulator and a Home Assistant beside it."""
    async with Simulator(port=free_port(8765)) as simulator:
        plan = Plan(folder=folder, port=free_port(8123))
        say(f"Starting Home Assistant at {plan.url} (half a minute or so)")
        async with Home(plan) as home:
            await remove_what_asks_the_internet(home)
            yield simulator, home


async def remove_what_asks_the_internet(home: Home) -> None:
    """Remove what a new home brings: without the internet it would fail, in red."""
    for entry in await home.command("config_entries/get"):
        if entry["domain"] in _ASK_THE_INTERNET:
            path = f"/api/config/config_entries/entry/{entry['entry_id']}"
            await home.ask("DELETE", path)


async def add_number(home: Home, simulator: Simulator, line: Line) -> str:
    """Add a number by the config flow and return its entry id."""
    end = await home.configure(
        "virtual_sms",
        {"next_step_id": line.provider},
        {**line.credentials, "advanced": {"api_url": simulator.url}},
        {"number": line.number, "name": line.title},
        {"mode": "automatic"},
    )
    return str(end["result"]["entry_id"])


async def furnish(home: Home, simulator: Simulator) -> list[tuple[Line, str]]:
    """Set up both numbers, the automation and the dashboard."""
    lines = []
    for line in list_lines(simulator):
        say(f"Adding {line.number} through the config flow of {line.title}")
        lines.append((line, await add_number(home, simulator, line)))
    await home.ask("POST", "/api/config/automation/config/answer", _AUTOMATION)
    await show_dashboard(home, [(line.title, entry_id) for line, entry_id in lines])
    return lines


async def round_trip(
    home: Home, simulator: Simulator, line: Line, entry_id: str, checks: Checks
) -> None:
    """Send, learn of the delivery, receive, answer: one number's whole life."""
    say(f"{line.title}: {line.number}")
    await check_setup(home, simulator, line, entry_id, checks)
    await check_sending(home, simulator, line, entry_id, checks)
    await check_notify(home, simulator, line, checks)
    await check_receiving(home, simulator, line, entry_id, checks)
    await check_entities(home, entry_id, checks)


async def check_setup(
    home: Home, simulator: Simulator, line: Line, entry_id: str, checks: Checks
) -> None:
    """Check that the entry is loaded and the provider knows where to call."""
    entries = await home.command("config_entries/get", domain="virtual_sms")
    states = {each["entry_id"]: each["state"] for each in entries}
    checks.check("the number is set up", states[entry_id] == "loaded", states)
    ours = callback_url(simulator, line).startswith(f"{home.url}/api/webhook/")
    checks.check("the provider has our callback URL", ours, "another one")


async def check_sending(
    home: Home, simulator: Simulator, line: Line, entry_id: str, checks: Checks
) -> None:
    """Check that a message leaves by the action and is followed to its delivery."""
    answer = await home.call(
        "virtual_sms",
        "send_message",
        answer=True,
        config_entry_id=entry_id,
        to=["06 12 34 56 78"],
        message="Water leak in the cellar!",
    )
    (message,) = answer["messages"]
    checks.check("a message is accepted", message["status"] == "queued", message)
    (sent,) = simulator.providers[line.provider].messages[-1:]
    said = (sent.to, sent.text) == (SENDER, "Water leak in the cellar!")
    checks.check("the provider has it, for the right phone", said, sent)
    await checks.wait(
        "Home Assistant learns that it was delivered",
        lambda: home.find(
            STATUS,
            message_id=message["message_id"],
            status="delivered",
            final=True,
            entry_id=entry_id,
        ),
    )


async def check_notify(
    home: Home, simulator: Simulator, line: Line, checks: Checks
) -> None:
    """Check that a message leaves by the notify action as well."""
    service = line.title.lower().replace(" ", "_")
    await home.call("notify", service, message="Good night", target=[FRIEND])
    (sent,) = simulator.providers[line.provider].messages[-1:]
    said = (sent.to, sent.text) == (FRIEND, "Good night")
    checks.check(f"notify.{service} sends too", said, sent)


async def check_receiving(
    home: Home, simulator: Simulator, line: Line, entry_id: str, checks: Checks
) -> None:
    """Check that a message comes in, once, and that an automation answers it."""
    provider = simulator.providers[line.provider]
    provider.receive(SENDER, "Is the door closed? ✓")
    wanted = {"entry_id": entry_id, "text": "Is the door closed? ✓"}
    await checks.wait(
        "an incoming message is published",
        lambda: home.find(RECEIVED, sender=SENDER, late=False, **wanted),
    )
    reply = "The house heard: Is the door closed? ✓"
    await checks.wait(
        "the automation answers it",
        lambda: [
            each
            for each in provider.messages
            if (each.to, each.text) == (SENDER, reply)
        ],
    )
    await simulator.settled()
    heard = home.find(RECEIVED, **wanted)
    checks.check("it was published once", len(heard) == 1, len(heard))
    refusals = [each for each in simulator.callbacks if not each.ok]
    checks.check("every callback was taken in", not refusals, refusals)


async def check_entities(home: Home, entry_id: str, checks: Checks) -> None:
    """Check that the entities of the number show what happened."""
    ids = await home.entities(entry_id)
    wanted = {
        "last_message": "Is the door closed? ✓",
        "last_sender": SENDER,
        "received": "1",
        "sent": "3",
        "failed": "0",
        "line_status": "available",
    }
    for key, value in wanted.items():
        state = await home.state(ids[key])
        checks.check(f"{key} shows it", state["state"] == value, state["state"])
    balance = await home.state(ids["balance"])
    checks.check("balance is known", float(balance["state"]) > 0, balance["state"])


def check_log(home: Home, simulator: Simulator, checks: Checks) -> None:
    """Check that the log tells of no trouble of ours, and of no secret."""
    log = home.log
    ours = [line for line in log.splitlines() if "virtual_sms" in line]
    troubles = [
        line
        for line in ours
        # Every custom integration is published like this.
        if ("ERROR" in line or "WARNING" in line) and "not been tested" not in line
    ]
    checks.check("the log holds no trouble of ours", not troubles, troubles)
    secrets = [
        *simulator.twilio.credentials.values(),
        *simulator.ovh.credentials.values(),
        *(SENDER, FRIEND, simulator.twilio.NUMBER, simulator.ovh.NUMBER),
        "Water leak",
    ]
    leaks = [secret for secret in secrets if secret in log]
    checks.check("the log holds no secret, number or text", not leaks, leaks)


async def run_once() -> None:
    """Make the round trip for both providers and end."""
    checks = Checks()
    async with demo_home(FOLDER / "once") as (simulator, home):
        simulator.pace = 0.2
        for line, entry_id in await furnish(home, simulator):
            await round_trip(home, simulator, line, entry_id, checks)
        await check_removal(home, simulator, checks)
        check_log(home, simulator, checks)
    print(f"demo: {checks.passed} checks passed", flush=True)


async def check_removal(home: Home, simulator: Simulator, checks: Checks) -> None:
    """Check that a number leaves nothing behind when it is removed."""
    say("Removing both numbers")
    for entry in await home.command("config_entries/get", domain="virtual_sms"):
        path = f"/api/config/config_entries/entry/{entry['entry_id']}"
        await home.ask("DELETE", path)
    for line in list_lines(simulator):
        url = callback_url(simulator, line)
        checks.check(f"{line.title}: no callback URL is left", not url, "one is")
    left = list((home.plan.folder / ".storage").glob("virtual_sms*"))
    checks.check("no file is left", not left, left)


async def stay() -> None:
    """Set everything up and wait for Ctrl-C."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with demo_home(FOLDER / "home") as (simulator, home):
        simulator.pace = 2.0
        await furnish(home, simulator)
        print(invite(home, simulator), flush=True)
        await stop.wait()
        say("Stopping Home Assistant")


def invite(home: Home, simulator: Simulator) -> str:
    """Say where to look, what to try, and which keys the simulated providers take."""
    lines = "\n\n".join(
        "\n".join(
            f"       {key:<20} {value}"
            for key, value in {"number": line.number, **line.credentials}.items()
        )
        for line in list_lines(simulator)
    )
    return _INVITATION.format(home=home.url, handset=simulator.url, keys=lines)


_INVITATION = """
    Home Assistant   {home}/virtual-sms   user: demo, password: demo
    The handset      {handset}/           both phones that text with the home

Try this:
  1. In the handset, write a text to the home. The dashboard shows it, and the
     automation "Answer every SMS" texts back.
  2. In Home Assistant, Settings, Tools, Actions: send one with "Virtual SMS: Send
     SMS", to any number, and watch its status move in the handset.
  3. In the handset, let the next message fail, or switch the provider off.
  4. Walk through the set-up: remove a number, and add it again with its keys. Under
     "Advanced", the API address is {handset}

{keys}

Nothing leaves this machine. Ctrl-C ends it.
"""


def say(text: str) -> None:
    """Tell what happens now."""
    print(f"==> {text}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="check it and end")
    once: Any = parser.parse_args(arguments).once
    try:
        asyncio.run(run_once() if once else stay())
    except (HomeError, TimeoutError, OSError) as err:
        print(f"demo: failed: {str(err) or type(err).__name__}", file=sys.stderr)
        print(f"      Home Assistant's log is below {FOLDER}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
