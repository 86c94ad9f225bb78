"""What the platforms share: entities of numbers and of people."""
