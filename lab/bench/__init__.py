"""Measure this integration beside what a user would take instead.

A real Home Assistant runs in a process of its own; this process is the provider and
the load. Whatever is compared runs in turn (A B A B …) in one run, and what counts is
the median of the paired ratios: these hold on a noisy machine, seconds do not.

A part is a function that returns the figures of its rows, in their order. Whoever adds
one names its rows in `rows.py`, and it in `__main__.py`.
"""
