"""Shipped for tests: in-memory doubles, contract suites for every spi protocol, fault injection."""
