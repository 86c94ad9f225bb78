"""Test the simulated Twilio."""
