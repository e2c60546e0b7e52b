"""Built-in deciders."""
