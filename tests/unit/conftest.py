"""Unit tests talk to nobody: a socket that one of them opens fails it."""

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, not whether the code is right.
# Each run draws other examples, so that many runs see many; one has to be quick.
settings.register_profile(
    "vitals", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("vitals")


@pytest.fixture(autouse=True)
def _nobody_to_talk_to(socket_disabled: None) -> None:
    """Use pytest-socket's own switch, which is turned back when the test is over."""
