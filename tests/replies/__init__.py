"""Tests of the same room."""
