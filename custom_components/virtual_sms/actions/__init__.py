"""What the actions send: whom, by which number, within which limits."""
