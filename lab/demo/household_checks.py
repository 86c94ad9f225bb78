"""What the demo shows of people: trust, limits, cost, and an alarm that insists."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..home import Home
from .checks import Checks, say
from .lines import Line
from .people import ALARM, ALEX, GARAGE, KIM, LEAK, PIN, SAM, STRANGER

if TYPE_CHECKING:
    from simulator import Simulator
    from simulator.base import AnyProvider, Message

RECEIVED, ALERT = "virtual_sms_received", "virtual_sms_alert"
_REPEATS = 5


async def check_household(
    home: Home, simulator: Simulator, lines: Sequence[tuple[Line, str]], checks: Checks
) -> None:
    """Check what people can do, and what they cannot."""
    ids = {line.provider: entry_id for line, entry_id in lines}
    say("Contacts, trust, limits and an alarm")
    await check_trust(home, simulator, checks)
    await check_group(home, simulator, checks)
    await check_limit(home, ids["twilio"], checks)
    # Twilio says later what a message has cost.
    await check_cost(home, ids["ovh"], checks)
    await check_alarm(home, simulator, checks)


async def check_trust(home: Home, simulator: Simulator, checks: Checks) -> None:
    """Check that a command needs a contact, the right to give it, and the code."""
    command = f"open garage {PIN}"
    attempts = (
        (STRANGER, command, "unknown"),
        (ALEX.number, command, "known"),
        (SAM.number, "open garage", "unproven"),
        (SAM.number, command, "trusted"),
    )
    for sender, text, trust in attempts:
        door = await home.state(GARAGE)
        checks.check(f"before: the garage is {door['state']}", door["state"] == "off")
        simulator.twilio.receive(sender, text)
        await checks.wait(
            f"a text is judged {trust}",
            partial(home.find, RECEIVED, sender=sender, trust=trust),
        )
    await checks.wait(
        "the one with the code opens it",
        partial(_texts, simulator.twilio, SAM.number, "The garage is opening."),
    )
    checks.check("the garage is open", (await home.state(GARAGE))["state"] == "on")
    leaks = [
        each for each in home.find(RECEIVED, sender=SAM.number) if PIN in each["text"]
    ]
    checks.check("the code is in no event", not leaks, len(leaks))


async def check_group(home: Home, simulator: Simulator, checks: Checks) -> None:
    """Check that one call reaches everybody of a group."""
    await home.call(
        "notify", "send_message", entity_id="notify.family", message="Dinner is ready"
    )
    for person in (SAM, ALEX):
        await checks.wait(
            f"{person.name} is texted as one of the family",
            partial(_texts, simulator.twilio, person.number, "Dinner is ready"),
        )


async def check_limit(home: Home, entry_id: str, checks: Checks) -> None:
    """Check that a sensor which flaps is stopped before it costs more."""
    for _ in range(_REPEATS):
        await _text(home, entry_id, ALEX.number)
    alex, kim = await _text(home, entry_id, ALEX.number, KIM.number)
    checks.check("the same text is refused the sixth time", alex == "limited", alex)
    checks.check("who had it less often gets it", kim is None, kim)
    found = await home.command("repairs/list_issues")
    keys = {each["translation_key"] for each in found["issues"]}
    checks.check("a repair says so", "limit_reached" in keys, keys)


async def _text(home: Home, entry_id: str, *to: str) -> list[str | None]:
    """Send what a sensor that flaps would, and return why each was refused."""
    answer = await home.call(
        "virtual_sms",
        "send_message",
        answer=True,
        config_entry_id=entry_id,
        to=list(to),
        message="The door is open",
    )
    return [each.get("reason") for each in answer["messages"]]


async def check_cost(home: Home, entry_id: str, checks: Checks) -> None:
    """Check that what the month has cost is counted."""
    ids = await home.entities(entry_id)
    cost = (await home.state(ids["cost"]))["state"]
    checks.check("the cost of the month is known", float(cost) > 0, cost)


async def check_alarm(home: Home, simulator: Simulator, checks: Checks) -> None:
    """Check that an alarm goes on by call and by the other provider, and rests then."""
    twilio, ovh = simulator.twilio, simulator.ovh
    simulator.automatic = False
    await home.call("input_boolean", "turn_on", entity_id=LEAK)
    texts = await checks.wait(
        "Sam is texted", partial(_texts, twilio, SAM.number, ALARM)
    )
    await twilio.advance(texts[-1].id, "undelivered")
    call = await checks.wait(
        "that does not arrive, so Sam is called at once",
        lambda: [each for each in twilio.phones.calls if each.to == SAM.number],
    )
    # A voicemail does the same: that somebody has heard it proves a key only.
    await twilio.phones.use(call[0].id, "answer")
    await twilio.phones.use(call[0].id, "hang_up")
    await checks.wait(
        "Sam presses no key, so Kim is texted by the other provider",
        partial(_texts, ovh, KIM.number, ALARM),
    )
    simulator.automatic = True
    ovh.receive(KIM.number, "ok")
    await checks.wait(
        "Kim's answer ends the alarm",
        lambda: home.find(ALERT, state="acknowledged", contact=KIM.name),
    )
    await checks.wait(
        "Sam hears who took it", partial(_texts, twilio, SAM.number, KIM.name)
    )


def _texts(provider: AnyProvider, number: str, part: str) -> list[Message]:
    return [
        each for each in provider.messages if each.to == number and part in each.text
    ]
