"""Slack, Teams, e-mail, webhook: how an event is worded, signed, sent, and what came of it."""
