"""Settings, wiring, authentication, limits, HTTP and logging."""
