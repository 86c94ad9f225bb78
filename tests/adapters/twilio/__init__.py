"""Tests of what is peculiar to Twilio."""
