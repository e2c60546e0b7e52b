"""Lets `python -m batchrun` do what `batchrun` does."""

from batchrun.cli import main

if __name__ == "__main__":
    main()
