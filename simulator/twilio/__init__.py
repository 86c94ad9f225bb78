"""Twilio, simulated."""

from .provider import Twilio

__all__ = ["Twilio"]
