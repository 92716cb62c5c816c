"""A file a revision."""
