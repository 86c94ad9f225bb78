"""Use the real user interface with a real browser, and take the README's pictures."""
