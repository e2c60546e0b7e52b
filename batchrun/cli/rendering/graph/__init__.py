"""A job's graph as a tree of text, as Mermaid, as DOT and as SVG."""
