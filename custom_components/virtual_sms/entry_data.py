"""What a config entry keeps of a number, by name and by type."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from homeassistant.const import CONF_WEBHOOK_ID

from .adapters.models import CallbackUrls, PhoneNumber
from .const import (
    CONF_ACCOUNT,
    CONF_CALLBACK_URL,
    CONF_CREDENTIALS,
    CONF_MODE,
    CONF_NUMBER,
    CONF_PREVIOUS_CALLBACKS,
    CONF_PREVIOUS_VOICE_URL,
    CONF_PROVIDER,
    CONF_VOICE_URL,
    MODE_AUTOMATIC,
    MODE_POLLING,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .runtime import VirtualSmsConfigEntry


@dataclass(frozen=True, kw_only=True)
class EntryData:
    """A number, the keys to its account, and how its messages get here.

    `callback_url` is None where the number checks regularly. `previous_callbacks`
    are the foreign URLs that ours replaced, to be put back one day: empty where ours
    replaced none, and a person sees to it since. `voice_url` is what
    we registered for calls, None while those are none of ours; with it goes
    `previous_voice_url`.
    """

    provider: str
    number: PhoneNumber
    credentials: Mapping[str, str] = field(repr=False)
    webhook_id: str = field(repr=False)
    mode: str
    callback_url: str | None = field(default=None, repr=False)
    previous_callbacks: CallbackUrls | None = None
    voice_url: str | None = field(default=None, repr=False)
    previous_voice_url: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, entry: VirtualSmsConfigEntry) -> Self:
        """Read the data of an entry."""
        data = entry.data
        previous = data.get(CONF_PREVIOUS_CALLBACKS)
        return cls(
            provider=data[CONF_PROVIDER],
            number=PhoneNumber(account=data[CONF_ACCOUNT], number=data[CONF_NUMBER]),
            credentials=data[CONF_CREDENTIALS],
            webhook_id=data[CONF_WEBHOOK_ID],
            mode=data[CONF_MODE],
            callback_url=data.get(CONF_CALLBACK_URL),
            previous_callbacks=CallbackUrls(**previous) if previous else None,
            voice_url=data.get(CONF_VOICE_URL),
            previous_voice_url=data.get(CONF_PREVIOUS_VOICE_URL),
        )

    @property
    def account(self) -> tuple[str, str]:
        """Return what tells an account from all others: its provider and its id."""
        return self.provider, self.number.account

    @property
    def polls(self) -> bool:
        """Say whether the number asks for its messages instead of being called."""
        return self.mode == MODE_POLLING

    @property
    def is_automatic(self) -> bool:
        """Say whether a machine sets the URLs at the provider."""
        return self.mode == MODE_AUTOMATIC

    @property
    def has_put_url(self) -> bool:
        """Say whether a machine has put the URL at the provider, now or earlier."""
        return self.is_automatic or self.previous_callbacks is not None

    def as_dict(self) -> dict[str, Any]:
        """Return what the entry stores."""
        data: dict[str, Any] = {
            CONF_PROVIDER: self.provider,
            CONF_CREDENTIALS: dict(self.credentials),
            CONF_ACCOUNT: self.number.account,
            CONF_NUMBER: self.number.number,
            CONF_WEBHOOK_ID: self.webhook_id,
            CONF_MODE: self.mode,
        }
        if self.callback_url is not None:
            data[CONF_CALLBACK_URL] = self.callback_url
        if (previous := self.previous_callbacks) is not None:
            urls = {"inbound": previous.inbound, "status": previous.status}
            data[CONF_PREVIOUS_CALLBACKS] = urls
        voice = {
            CONF_VOICE_URL: self.voice_url,
            CONF_PREVIOUS_VOICE_URL: self.previous_voice_url,
        }
        return data | {key: url for key, url in voice.items() if url is not None}
