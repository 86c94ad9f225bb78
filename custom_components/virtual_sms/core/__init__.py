"""The policy: no Home Assistant, and no provider by name."""
