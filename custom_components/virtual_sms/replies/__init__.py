"""Alerts and questions: what is asked until somebody answers."""
