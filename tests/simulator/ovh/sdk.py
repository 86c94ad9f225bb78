"""Ask the simulated OVHcloud through OVHcloud's own SDK."""

import asyncio
from typing import Any

import ovh

TO = "+33612345678"


S = "/sms/sms-ab12345-1"


LINE = f"{S}/virtualNumbers/%2B33900000001"


async def get(client: ovh.Client, path: str, **query: Any) -> Any:
    """Fetch through the SDK."""
    return await asyncio.to_thread(lambda: client.get(path, **query))


async def send(client: ovh.Client, path: str = f"{LINE}/jobs", **changes: Any) -> Any:
    """Send a message through the SDK."""
    body = {"message": "Bonjour", "receivers": [TO]} | changes
    body = {name: value for name, value in body.items() if value is not ...}
    return await asyncio.to_thread(lambda: client.post(path, **body))
