"""Checks that read the code and its texts; nothing of it runs."""
