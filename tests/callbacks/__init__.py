"""Tests of how providers reach a home."""
