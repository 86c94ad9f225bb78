"""Test the simulator itself, against the providers' own SDKs."""
