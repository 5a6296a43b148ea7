"""The demonstration: an invented portfolio with a year of history, and its reports."""
