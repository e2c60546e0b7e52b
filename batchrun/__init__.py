"""Spring Batch for Python, declared in YAML: restartable jobs that lose nothing and write nothing twice."""

__version__ = "0.1.0"
