"""The benchmark suite: batchrun and its peers on the same data, in turn, in one run. See README.md."""
