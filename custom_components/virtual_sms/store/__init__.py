"""What is durable: one file for each number, and how its rows read."""
