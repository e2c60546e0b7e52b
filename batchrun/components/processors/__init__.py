"""Processors: what becomes of items between reader and writer."""
