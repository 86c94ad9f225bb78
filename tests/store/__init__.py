"""Tests of what is durable."""
