"""A provider that does not exist: the least that adding one takes."""
