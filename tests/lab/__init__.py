"""The experiments with a real Home Assistant, in small."""
