"""Put a real Home Assistant beside the simulator, and watch them talk."""
