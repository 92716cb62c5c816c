"""Sheets to print: the templates, and the code that fills them."""
