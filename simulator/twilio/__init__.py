"""Play Twilio: its account, numbers, messages and signed callbacks.

Recipients that behave specially, whatever is sent to them:

=================  ============================================================
+15005550001       refused 21211: not a valid number
+15005550002       refused 21612: this sender cannot reach it
+15005550003       refused 21408: country not enabled
+15005550004       refused 21610: has opted out
+15005550005       refused 21608: not verified (trial account)
+15005550007       refused 21606: sender not allowed
+15005550008       refused 21611: queue full
+15005550009       refused 21614: not a mobile
+15005551NNN       accepted, then ends with error 30NNN: +15005551003 is
                   unreachable (30003), 1004 blocked, 1005 unknown, 1006 a
                   landline, 1007 filtered as spam, 1034 unregistered sender
+15005552000       stays `sent` for ever: no receipt comes
+15005552001       stays `queued` for ever
=================  ============================================================

Who is called behaves as `phones` says; refused are 1 with 21217, 2 with 21214, 3 with
21215 (country not enabled for calls), 4 with 21216, 5 with 21219 and 8 with 10004.

As a *sender*, +15005550001 answers 21212, +15005550007 21606 and +15005550008
21611. Who texts STOP to a number is refused with 21610 until START.
"""

from .provider import Twilio

__all__ = ["Twilio"]
