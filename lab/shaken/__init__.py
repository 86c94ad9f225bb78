"""A Home Assistant whose clock can be stepped and whose disk can fill.

`python -m lab.shaken` takes the arguments of `python -m homeassistant`. The product
knows nothing of it: what it takes from Python is replaced before it is loaded.
"""
