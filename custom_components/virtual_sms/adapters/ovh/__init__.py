"""OVHcloud."""

from .adapter import OvhAdapter

__all__ = ["OvhAdapter"]
