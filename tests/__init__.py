"""Tests of the integration, its core, its providers and its tools."""
