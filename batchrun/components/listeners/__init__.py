"""Listeners: what observes a run."""
