"""Built-in components, one file each, written exactly as a plugin would be."""
