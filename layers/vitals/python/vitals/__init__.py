"""Vitals: customer health scores that explain themselves."""
