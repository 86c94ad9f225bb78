"""What is left when the demo ends: nothing of a number, nothing secret in the log."""

from simulator import Simulator

from ..home import Home
from .checks import Checks, say
from .lines import callback_url, list_lines
from .people import ALARM, PEOPLE, PIN
from .round_trip import FRIEND, SENDER


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
        *(person.number for person in PEOPLE),
        *(PIN, ALARM),
    ]
    leaks = [secret for secret in secrets if secret in log]
    checks.check("the log holds no secret, number or text", not leaks, leaks)


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
