"""Play Twilio and OVHcloud on localhost, with no account and no cost.

`python -m simulator [--host 127.0.0.1] [--port 8765]` serves, on one port, both
HTTP APIs (`/2010-04-01/…` and `/1.0/…`), the handset (`/`), a page on which a
human plays the other end, and the control routes (`/_sim/…`, see `control`).
It shares no code with the adapters and signs by itself: it is their judge.

In a test, an asynchronous context manager does the same on a free port:

    async with Simulator() as sim:
        sim.url                                 # the api_url of both providers
        sim.twilio.credentials, sim.ovh.credentials
        sim.pace = 0                            # seconds between status steps
        sim.automatic = False                   # or: statuses move by hand
        sim.twilio.receive(sender, text, media=(), number=…, callback=True)
        sim.twilio.messages, sim.twilio.inbound # accepted, received
        await sim.twilio.advance(message_id, "delivered")
        await sim.twilio.fail(message_id, 30003)
        sim.ovh.history(5000)                   # old messages, no callbacks
        sim.faults.add("rate_limited", provider="ovh", path="/jobs", times=2)
        sim.twilio.quirks = {Quirk.DUPLICATED}  # bad habits of the callbacks
        sim.reroute["https://home.example"] = "http://127.0.0.1:8123"
        sim.requests, sim.callbacks             # what was asked, what was posted
        await sim.settled()                     # all steps and callbacks done

`sim.ovh` works the same way. Twilio has the numbers NUMBER (SMS and MMS),
SMS_ONLY_NUMBER and VOICE_ONLY_NUMBER; OVHcloud NUMBER and SECOND_NUMBER in
SERVICE, and EMPTY_SERVICE without any. Recipients that behave specially are
listed in the docstrings of `twilio` and `ovh`, faults in `faults`.

Each provider is a folder: its `models`, the `state` of an account, the `api` that
serves that state, and the `provider` that moves messages along and calls back.
Imports go from the last to the first. `state` lists the providers and holds all
that is simulated, `server` puts it on a port, `control` and `handset` change it.

Beyond what either provider documents, the simulator had to choose: OVHcloud
lists ids newest first, calls back at each change of a receipt, and answers 403
when no credit is left; Twilio answers 403 with 20005 and 70051.
"""

from .base import Media, Message
from .callbacks import CallbackRecord, Quirk, Verdict
from .faults import Fault, FaultKind
from .server import Simulator
from .world import RequestRecord

__all__ = [
    "CallbackRecord",
    "Fault",
    "FaultKind",
    "Media",
    "Message",
    "Quirk",
    "RequestRecord",
    "Simulator",
    "Verdict",
]
