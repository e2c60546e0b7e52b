"""The version of batchrun, for whoever inside it wants to know: the package itself stands above them all."""

__version__ = "0.1.0"
