"""What is looked at from time to time, and what a repair says of it."""
