"""Test the simulated OVHcloud."""
