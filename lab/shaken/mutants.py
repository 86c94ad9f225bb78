"""Faults that the product could have: each takes one of its promises away.

They prove that every column of `scripts/crash` can see what it counts. The product has
no hook for them: one of its methods is replaced, in this process only.
"""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
import os
import sqlite3
from typing import Any, Final

MUTANT: Final = "SHAKEN_MUTANT"
"""The environment variable with the name of the fault to have."""
_EVERY: Final = 4
_OFTEN: Final = 2


def apply() -> None:
    """Put the fault in that was asked for, if any."""
    if name := os.environ.get(MUTANT):
        MUTANTS[name]()


def _find(module: str) -> Any:
    return import_module(f"custom_components.virtual_sms.{module}")


def _replace(owner: Any, name: str, replacement: Any) -> Any:
    """Put something else in the place of what is there, and return that."""
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    return original


def _resend_without_asking() -> None:
    async def is_free(*_: Any) -> bool:
        return True

    _replace(_find("core.outbox").Outbox, "_is_free", is_free)


def _wait_for_ever() -> None:
    async def due(self: Any) -> list[object]:
        del self
        return []

    _replace(_find("store.outbound").OutboundTable, "due", due)


def _drop_receipts() -> None:
    models, inbox = _find("adapters.models"), _find("core.inbox").Inbox

    async def take_messages(self: Any, event: Any, **options: Any) -> None:
        if not isinstance(event, models.DeliveryReceipt):
            await take(self, event, **options)

    take = _replace(inbox, "take", take_messages)


def _call_all_delivered() -> None:
    models, inbox = _find("adapters.models"), _find("core.inbox").Inbox

    async def take_as_delivered(self: Any, event: Any, **options: Any) -> None:
        if isinstance(event, models.DeliveryReceipt) and event.status.is_final:
            event = replace(event, status=models.DeliveryStatus.DELIVERED)
        await take(self, event, **options)

    take = _replace(inbox, "take", take_as_delivered)


def _believe_everybody() -> None:
    def verify(self: Any, request: Any) -> None:
        del self, request

    _replace(_find("adapters.twilio.adapter").TwilioAdapter, "verify", verify)


def _note_nothing() -> None:
    import asyncio  # noqa: PLC0415  # this fault's alone

    def note_published(self: Any, changes: Any, delay: float = 0.0) -> Any:
        del self, changes, delay
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    _replace(_find("store.store").Store, "note_published", note_published)


def _tell_newest_first() -> None:
    def publish_reversed(self: Any, changes: Any) -> None:
        publish(self, changes[::-1])

    publisher = _find("core.publisher").Publisher
    publish = _replace(publisher, "publish", publish_reversed)


def _lose_some() -> None:
    changes, publisher = _find("store.changes"), _find("core.publisher").Publisher
    received = 0

    def lose(self: Any, store: Any, publish: Callable[[Any], None], *more: Any) -> None:
        def publish_most(change: Any) -> None:
            nonlocal received
            received += isinstance(change, changes.Received)
            if not isinstance(change, changes.Received) or received % _EVERY:
                publish(change)

        build(self, store, publish_most, *more)

    build = _replace(publisher, "__init__", lose)


def _count_one_too_many() -> None:
    def read_wrongly(connection: sqlite3.Connection) -> Any:
        tally = read(connection)
        return replace(tally, pending=tally.pending + 1)

    read = _replace(_find("store.store"), "_read_tally", read_wrongly)


def _stumble() -> None:
    def fall() -> None:
        raise RuntimeError("a fault")

    def listen_and_fall(self: Any, listener: Callable[[], None]) -> Any:
        listen(self, fall)
        return listen(self, listener)

    listen = _replace(_find("store.store").Store, "listen", listen_and_fall)


def _refuse_what_was_sent() -> None:
    from homeassistant.exceptions import HomeAssistantError  # noqa: PLC0415  # its own

    async def send_and_complain(self: Any, *args: Any, **options: Any) -> Any:
        await send(self, *args, **options)
        raise HomeAssistantError("not sent, says the fault")

    send = _replace(_find("core.gateway").Gateway, "send", send_and_complain)


def _alarm_again(name: str) -> None:
    """Have each step reach its people three times, with ids that nobody planned."""
    planned = _find("actions.planned")

    async def reach_again(hass: Any, person: Any, planned_id: str, *more: Any) -> Any:
        for _ in range(_OFTEN):
            await reach(hass, person, planned.new_message_id(), *more)
        return await reach(hass, person, planned_id, *more)

    reach = _replace(_find("replies.alerts"), name, reach_again)


def _text_again() -> None:
    _alarm_again("async_send_planned")


def _phone_again() -> None:
    _alarm_again("async_call_planned")


def _keep_alarms_quiet() -> None:
    def publish(self: Any, alert: Any) -> None:
        del self, alert

    _replace(_find("replies.alerts").AlertDesk, "_async_publish", publish)


def _never_rest() -> None:
    def acknowledge_and_go_on(self: Any, *arguments: Any) -> Any:
        taken = acknowledge(self, *arguments)
        return replace(taken, state=self.state, ended_at=None)

    alert = _find("core.escalation").Alert
    acknowledge = _replace(alert, "acknowledge", acknowledge_and_go_on)


def _ignore_keys() -> None:
    def handle_without_key(self: Any, change: Any) -> None:
        handle(self, replace(change, digits=None))

    desk = _find("replies.alerts").AlertDesk
    handle = _replace(desk, "_async_handle_call", handle_without_key)


def _know_no_limit() -> None:
    def find_none(*_: Any) -> dict[str, object]:
        return {}

    _replace(_find("store.outbound_orders"), "find_refusals", find_none)


def _trust_everybody() -> None:
    trust = _find("store.changes").Trust

    def trust_all(*_: Any) -> Any:
        return trust.TRUSTED

    _replace(_find("core.guard").ContactGuard, "_trust", trust_all)


def _take_codes_again() -> None:
    def note_as_fresh(self: Any, *arguments: Any) -> Any:
        return replace(note(self, *arguments), is_fresh=True)

    memory = _find("core.code_memory").CodeMemory
    note = _replace(memory, "note_right", note_as_fresh)


def _leave_codes_in() -> None:
    def read_and_leave(code: Any, text: str, at: Any) -> Any:
        return replace(read(code, text, at), text=text)

    read = _replace(_find("core.guard"), "read_code", read_and_leave)


MUTANTS: Final[dict[str, Callable[[], None]]] = {
    "resend-without-asking": _resend_without_asking,
    "wait-for-ever": _wait_for_ever,
    "receipts-dropped": _drop_receipts,
    "all-called-delivered": _call_all_delivered,
    "everybody-believed": _believe_everybody,
    "nothing-noted": _note_nothing,
    "newest-first": _tell_newest_first,
    "some-lost": _lose_some,
    "one-too-many": _count_one_too_many,
    "stumbling": _stumble,
    "sent-but-refused": _refuse_what_was_sent,
    "texted-again": _text_again,
    "phoned-again": _phone_again,
    "alarms-quiet": _keep_alarms_quiet,
    "never-resting": _never_rest,
    "keys-ignored": _ignore_keys,
    "no-limit": _know_no_limit,
    "everybody-trusted": _trust_everybody,
    "codes-taken-again": _take_codes_again,
    "codes-left-in": _leave_codes_in,
}
