"""Skrynka (скринька, "drop box"): scans of drop-box papers go in, cases in a database come out."""

__version__ = "0.1.0"
