"""Watch a real Home Assistant text through Twilio and OVHcloud.

python -m lab.demo          sets everything up and stays for you to play with
python -m lab.demo --once   makes the round trip, checks it from outside, ends
"""

import argparse
import asyncio
from collections.abc import Sequence
import signal
import sys
from typing import Any

from simulator import Simulator

from ..home import Home, HomeError
from .checks import Checks, say
from .ending import check_log, check_removal
from .household_checks import check_household
from .lines import list_lines
from .people import PIN, SAM
from .round_trip import round_trip
from .stage import FOLDER, demo_home, furnish


async def run_once() -> None:
    """Make the round trip for both providers and end."""
    checks = Checks()
    async with demo_home(FOLDER / "once") as (simulator, home):
        simulator.pace = 0.2
        lines = await furnish(home, simulator)
        for line, entry_id in lines:
            await round_trip(home, simulator, line, entry_id, checks)
        await check_household(home, simulator, lines, checks)
        await check_removal(home, simulator, checks)
        check_log(home, simulator, checks)
    print(f"demo: {checks.passed} checks passed", flush=True)


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
    return _INVITATION.format(
        home=home.url, handset=simulator.url, keys=lines, sam=SAM.number, pin=PIN
    )


_INVITATION = """
    Home Assistant   {home}/virtual-sms   user: demo, password: demo
    The handset      {handset}/           all phones that text with the home

Try this:
  1. In the handset of OVHcloud, write a text to the home. It comes from Alex, a
     contact: the dashboard shows it, and an automation texts back.
  2. In the handset of Twilio, text "open garage {pin}". Nothing happens: the home does
     not know who that is. Text it as Sam, from {sam}: the garage opens.
  3. On the dashboard, "Household", switch the water leak on. Sam is texted, and after
     a minute called, and after another one Kim is texted. Answer "ok".
  4. In Home Assistant, Settings, Tools, Actions: send one with "Virtual SMS: Send
     SMS", to a contact or any number, and watch its status move in the handset.
  5. In the handset, let the next message fail, or switch the provider off.
  6. Walk through the set-up: remove a number, and add it again with its keys. Under
     "Advanced", the API address is {handset}

{keys}

Nothing leaves this machine. Ctrl-C ends it.
"""


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
