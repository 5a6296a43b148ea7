"""Reports: what is figured out of a portfolio, and the ten documents made of it."""
