"""The providers: a line each."""

from .base import SmsAdapter
from .ovh import OvhAdapter
from .twilio import TwilioAdapter

ADAPTERS: dict[str, type[SmsAdapter]] = {
    adapter.key: adapter for adapter in (TwilioAdapter, OvhAdapter)
}
