"""Hands: each module does one outside thing, and none imports another."""
