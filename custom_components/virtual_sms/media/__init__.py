"""Pictures and files that travel with a message: what is sent, and what came in."""
