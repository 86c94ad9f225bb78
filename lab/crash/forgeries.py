"""Callbacks by strangers: all that can be made up without the account's secrets."""

from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass, field
from typing import Final

from simulator import CallbackRecord
from simulator.twilio.callbacks import sign

from .load import PERSON
from .world import HARMLESS, Traffic, World

MARK: Final = "forged"
CODE: Final = "39999"
"""An error code that no provider's record has."""
_SIGNATURE: Final = "X-Twilio-Signature"
_OTHER_ACCOUNT: Final = "AC" + "ff" * 16


@dataclass(frozen=True, kw_only=True)
class Forgery:
    """What is posted."""

    form: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


type Forge = Callable[[World, Traffic, str], Forgery | None]
"""Makes one for a URL; None while there is nothing yet to make it of."""


async def forge(world: World, traffic: Traffic) -> None:
    """Post a forgery of some kind to a number's webhook, where that is known."""
    url = _callback_url(world, traffic)
    if url is None:
        return
    make = world.chance.choice(_KINDS[traffic.provider])
    forgery = make(world, traffic, url)
    if forgery is None:
        return
    traffic.forged += 1
    data = forgery.form if forgery.body is None else forgery.body
    with contextlib.suppress(*HARMLESS):
        async with world.session.post(
            url, data=data, headers=forgery.headers
        ) as answer:
            await answer.read()


def _callback_url(world: World, traffic: Traffic) -> str | None:
    lines = world.simulator.providers[traffic.provider].lines()
    urls = [each["callback_url"] for each in lines if each["callback_url"]]
    return str(urls[0]) if urls and traffic.mode == "automatic" else None


def _message(world: World, traffic: Traffic) -> dict[str, str]:
    return {
        "MessageSid": f"SM{world.chance.getrandbits(120):032x}",
        "AccountSid": world.simulator.twilio.ACCOUNT_SID,
        "From": PERSON,
        "To": traffic.number,
        "Body": MARK,
        "NumMedia": "0",
    }


def _signed(token: str, url: str, form: dict[str, str]) -> Forgery:
    signature = sign(token, url, form.items())
    return Forgery(form=form, headers={_SIGNATURE: signature})


def _wrong_signature(world: World, traffic: Traffic, _: str) -> Forgery:
    headers = {_SIGNATURE: "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    return Forgery(form=_message(world, traffic), headers=headers)


def _no_signature(world: World, traffic: Traffic, _: str) -> Forgery:
    return Forgery(form=_message(world, traffic))


def _other_account(world: World, traffic: Traffic, url: str) -> Forgery:
    """Sign as another customer of the provider, who has a token of their own."""
    form = _message(world, traffic) | {"AccountSid": _OTHER_ACCOUNT}
    return _signed("another token", url, form)


def _other_url(world: World, traffic: Traffic, url: str) -> Forgery:
    """Take a signature that is right, but was made for another address."""
    token = world.simulator.twilio.auth_token
    return _signed(token, f"{url}x", _message(world, traffic))


def _altered(world: World, traffic: Traffic, _: str) -> Forgery | None:
    """Put other words below a genuine signature."""
    genuine = _genuine(world, traffic)
    if genuine is None:
        return None
    return Forgery(form=genuine.fields | {"Body": MARK}, headers=genuine.headers)


def _replayed(world: World, traffic: Traffic, _: str) -> Forgery | None:
    """Send a genuine one again, which must not count again."""
    genuine = _genuine(world, traffic)
    if genuine is None:
        return None
    return Forgery(form=genuine.fields, headers=genuine.headers)


def _false_receipt(world: World, traffic: Traffic, _: str) -> Forgery | None:
    """Say of one of the home's messages that it failed."""
    sid = _any_sent(world, traffic)
    if sid is None:
        return None
    form = {
        "MessageSid": sid,
        "AccountSid": world.simulator.twilio.ACCOUNT_SID,
        "MessageStatus": "failed",
        "ErrorCode": CODE,
        "From": traffic.number,
        "To": PERSON,
    }
    return Forgery(form=form, headers={_SIGNATURE: "RSOYDt4T1cUTdK1PDd93/VVr8B8="})


def _garbage(world: World, traffic: Traffic, _: str) -> Forgery:
    del traffic
    headers = {
        _SIGNATURE: "\u00e9" * 28,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Forgery(body=world.chance.randbytes(400), headers=headers)


def _bell(world: World, traffic: Traffic, _: str) -> Forgery:
    """Ring for a message that never was."""
    return Forgery(form=_ring(str(world.chance.getrandbits(40)), traffic))


def _receipt_bell(world: World, traffic: Traffic, _: str) -> Forgery:
    """Ring for the receipt of a message that never was, or say that one failed."""
    sent = _any_sent(world, traffic) or str(world.chance.getrandbits(40))
    return Forgery(form={"id": sent, "ptt": "24", "description": "2"})


def _altered_bell(world: World, traffic: Traffic, _: str) -> Forgery | None:
    """Ring for a genuine message, with other words."""
    written = list(traffic.written)
    return (
        Forgery(form=_ring(world.chance.choice(written), traffic)) if written else None
    )


def _odd_bell(world: World, traffic: Traffic, _: str) -> Forgery:
    odd = world.chance.choice(("abc", "", "-1", "9" * 40, "1e9", "\u0660"))
    return Forgery(form=_ring(odd, traffic))


def _ring(message_id: str, traffic: Traffic) -> dict[str, str]:
    return {
        "id": message_id,
        "senderid": PERSON,
        "message": MARK,
        "shortcode": traffic.number,
    }


def _genuine(world: World, traffic: Traffic) -> CallbackRecord | None:
    found = list(_list_genuine(world, traffic))
    return world.chance.choice(found) if found else None


def _list_genuine(world: World, traffic: Traffic) -> Iterator[CallbackRecord]:
    for each in world.simulator.callbacks:
        if each.kind == "inbound" and str(each.message_id) in traffic.written:
            yield each


def _any_sent(world: World, traffic: Traffic) -> str | None:
    messages = world.simulator.providers[traffic.provider].messages
    ids = [str(each.id) for each in messages if each.text in traffic.asked]
    return world.chance.choice(ids) if ids else None


_KINDS: Final[dict[str, tuple[Forge, ...]]] = {
    "twilio": (
        _wrong_signature,
        _no_signature,
        _other_account,
        _other_url,
        _altered,
        _replayed,
        _false_receipt,
        _garbage,
    ),
    "ovh": (_bell, _receipt_bell, _altered_bell, _odd_bell, _garbage),
}
