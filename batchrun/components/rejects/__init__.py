"""Reject sinks: where skipped items go."""
