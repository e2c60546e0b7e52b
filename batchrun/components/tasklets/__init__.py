"""Tasklets: bodies of steps that are no chunks."""
