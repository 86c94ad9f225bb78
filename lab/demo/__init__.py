"""The demo: a home with a household, watched from outside."""
