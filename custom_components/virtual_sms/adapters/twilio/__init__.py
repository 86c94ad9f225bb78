"""Twilio."""

from .adapter import TwilioAdapter

__all__ = ["TwilioAdapter"]
