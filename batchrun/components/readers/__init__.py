"""Readers: where items come from."""
