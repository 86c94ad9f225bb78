"""What a French newcomer reads during the set-up, in a home set up in English."""

from collections.abc import Iterator
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from lab.home import USER

from .pages import FRENCH, HomePage
from .pictures import TEXTS

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from lab.home import Home
    from simulator import Simulator

    from .pages import Flow

pytestmark = pytest.mark.browser


def read(language: str) -> dict[str, Any]:
    """Return a language's texts of the set-up."""
    texts = json.loads(TEXTS.with_stem(language).read_text(encoding="utf-8"))
    return {key: texts[key] for key in ("config", "selector")}


def sentences(node: dict[str, Any] | str) -> Iterator[str]:
    """List the sentences that a form shows as they stand in the file."""
    if isinstance(node, str):
        found = re.split(r"(?<=[.:?]) |\n+", node)
        yield from (
            each for each in found if " " in each and not set(each) & set("*{[")
        )
    else:
        for each in node.values():
            yield from sentences(each)


STEPS = read("fr")["config"]["step"]
ENGLISH = set(sentences(read("en"))) - set(sentences(read("fr")))


async def is_french(flow: Flow, step: str) -> None:
    """Wait for a step with its French title, and find nothing English in it."""
    await flow.step(STEPS[step]["title"])
    shown = await flow.text()
    assert not [each for each in ENGLISH if each in shown]


@pytest.mark.parametrize("browser", ["fr-FR"], indirect=True)
async def test_a_french_newcomer_reads_french(
    home: Home, providers: Simulator, browser: BrowserContext
) -> None:
    """Every form is French, and a wrong key is explained in French.

    What a form quotes of our errors is in the home's language, so that is French too.
    """
    await home.command("config/core/update", language="fr")
    ui = HomePage(await browser.new_page(), home.url, FRENCH)
    await ui.log_in(USER["username"], USER["password"])
    flow = await ui.add_integration("Virtual SMS")
    await is_french(flow, "user")
    await flow.choose("Twilio")

    await flow.step(STEPS["twilio"]["title"])
    await flow.toggle(STEPS["twilio"]["sections"]["advanced"]["name"])
    await is_french(flow, "twilio")
    await flow.fill(**providers.twilio.credentials, api_url=providers.url)
    await flow.fill(auth_token="0" * 32)
    await flow.submit()
    assert "n'accepte pas" in await flow.error()
    await is_french(flow, "twilio")
    await flow.fill(**providers.twilio.credentials)
    await flow.submit()

    await is_french(flow, "number")
    await flow.submit()
    await is_french(flow, "callbacks")
