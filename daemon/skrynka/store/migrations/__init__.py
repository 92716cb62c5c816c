"""Alembic's scripts; they ship with the program, and `skrynka db upgrade` runs them."""
