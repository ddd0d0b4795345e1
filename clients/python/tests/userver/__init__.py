"""The drop-in for pytest_userver.chaos, as its users use it."""
