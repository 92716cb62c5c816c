"""Processes that touch network shares, so that the service never does.

Whoever touches a share that hangs is blocked, unkillably, until it answers. So each share has a process of its own
that lists it, claims in it and copies out of it, and the service waits for its answers no longer than it wants to.
"""
