"""Rendering: how things look on a terminal and in a pipe. The only user of rich; it runs nothing."""
