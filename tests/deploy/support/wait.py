"""Waiting for events."""

import time

# A test that waits this long fails. No test depends on how long anything takes.
PATIENCE = 60.0


def eventually(what: str, condition):
    """Waits until `condition` returns something true, and returns it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE} s for this: {what}")
