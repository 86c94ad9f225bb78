"""Measure this integration beside what a user would take instead.

A real Home Assistant and a provider run in processes of their own; this process is
the load. Whatever is compared runs in turn (A B A B …) in one run, and what counts is
the median of the paired ratios: these hold on a noisy machine, seconds do not.
"""
