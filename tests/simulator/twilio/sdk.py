"""Ask the simulated Twilio through Twilio's own SDK."""

import asyncio
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

TO = "+14155550100"


async def create(twilio: Client, **changes: Any) -> Any:
    """Send a message through the SDK."""
    values = {"to": TO, "from_": "+15005550006", "body": "Hello"} | changes
    return await asyncio.to_thread(lambda: twilio.messages.create(**values))


async def refusal(twilio: Client, **changes: Any) -> TwilioRestException:
    """Send a message that must be refused."""
    with pytest.raises(TwilioRestException) as caught:
        await create(twilio, **changes)
    return caught.value
