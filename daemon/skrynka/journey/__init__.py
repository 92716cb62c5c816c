"""The journey's stages: each one unit of work, top to bottom, idempotent; they meet in the database."""
