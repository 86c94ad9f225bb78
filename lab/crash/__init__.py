"""Shake a real Home Assistant in every way that homes are shaken, and count the harm.

Four numbers, two of each provider, one called back and one polling, send and receive
without pause. Meanwhile the process is killed and restarted, its clock steps, its disk
fills, its numbers are reloaded and disabled, tokens are replaced, records become
unreadable; the providers go down, limit, drop connections and answer nonsense;
callbacks come twice and out of order, and strangers forge them. In the end everything
must have arrived, once, in order, and nothing may be untrue.
"""
