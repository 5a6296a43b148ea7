"""Unit tests talk to nobody: a socket that one of them opens fails it."""

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("vitals", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vitals")


@pytest.fixture(autouse=True)
def _nobody_to_talk_to(socket_disabled: None) -> None:
    """Use pytest-socket's own switch, which is turned back when the test is over."""
