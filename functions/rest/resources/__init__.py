"""The resource API: which operations there are, and how each meets its use-case."""
