"""One verb a module; both APIs, the schedules and the stream call these."""
