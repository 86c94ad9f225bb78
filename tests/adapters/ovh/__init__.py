"""Tests of what is peculiar to OVHcloud."""
