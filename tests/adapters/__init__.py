"""Tests of the providers, over real HTTP against the simulator."""
