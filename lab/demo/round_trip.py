"""One number's whole life: send, learn of the delivery, receive, answer."""

from simulator import Simulator

from ..home import Home
from .checks import Checks, say
from .lines import Line, callback_url
from .people import ALARM, ALEX

RECEIVED, STATUS = "virtual_sms_received", "virtual_sms_status"
SENDER, FRIEND = ALEX.number, "+33698765432"


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
        message=ALARM,
    )
    (message,) = answer["messages"]
    checks.check("a message is accepted", message["status"] == "queued", message)
    (sent,) = simulator.providers[line.provider].messages[-1:]
    said = (sent.to, sent.text) == (SENDER, ALARM)
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
