"""The demo's numbers: one of each provider, added as a newcomer would."""

from dataclasses import dataclass

from simulator import Simulator

from ..home import Home


@dataclass(frozen=True)
class Line:
    """A number as a newcomer would add it."""

    provider: str
    title: str
    number: str
    credentials: dict[str, str]


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
