"""Tests of the policy, without Home Assistant."""
