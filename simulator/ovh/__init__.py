"""Play OVHcloud: an SMS account, its virtual numbers and unsigned callbacks.

Recipients that behave specially, whatever is sent to them:

=================  ============================================================
+33600000001       listed among the invalidReceivers, with HTTP 200
+33600000002       refused with HTTP 403: no credit (whatever is left)
+336000001PP       accepted, then receipt 2 (failed) with ptt PP: +33600000124
                   is absent (24), 123 a barred number, 128 spam, 108 expired
+336000002PP       accepted, then receipt 16 (error, not billed) with ptt PP
+33600000300       stays `sent` (receipt 4, waiting) for ever
+33600000301       stays in the jobs for ever
+33600000302       is buffered (receipt 8) before it is delivered
=================  ============================================================

Who texts STOP is put on the blacklist: the next message to them fails with
receipt 16, ptt 53. Numbers in national form (06…) are invalid receivers.
"""

from .models import Service
from .provider import Ovh

__all__ = ["Ovh", "Service"]
