"""OVHcloud, simulated."""

from .provider import Ovh, Service

__all__ = ["Ovh", "Service"]
