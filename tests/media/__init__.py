"""Pictures that are sent, and pictures that came in."""
