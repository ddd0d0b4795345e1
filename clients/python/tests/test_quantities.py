from datetime import timedelta

import pytest

from chaosgate import quantities


@pytest.mark.parametrize(
    "value, want",
    [
        (0.2, "200ms"), (1, "1s"), (90, "90s"), (3600, "1h"), (120.0, "2m"), (0.0000015, "1500ns"), (1e-9, "1ns"), (0, "0s"),
        (-0.5, "-500ms"), (timedelta(milliseconds=1.5), "1500us"), (timedelta(days=1), "24h"), ("5", "5"), ("1m30s", "1m30s"), (0.1 + 0.2, "300ms"),
    ],
)  # fmt: skip
def test_durations_as_the_daemon_reads_them(value, want):
    assert quantities.duration_text(value) == want


@pytest.mark.parametrize("text, want", [("200ms", 0.2), ("1m30s", 90.0), ("1.5h", 5400.0), (".5s", 0.5), ("-2us", -2e-6), ("3µs", 3e-6), (7, 7.0)])
def test_durations_in_seconds(text, want):
    assert quantities.duration_seconds(text) == want


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "5", "five"])
def test_no_durations(value):
    with pytest.raises(ValueError, match="want seconds, a timedelta or a duration with its unit"):
        quantities.duration_seconds(value, "by")


@pytest.mark.parametrize(
    "write, value, want",
    [
        (quantities.size_text, 65536, "64KiB"), (quantities.size_text, 1000, "1KB"), (quantities.size_text, 1001, "1001B"),
        (quantities.size_text, 0, "0B"), (quantities.size_text, "1.5MB", "1.5MB"), (quantities.rate_text, 1 << 20, "1MiB/s"),
        (quantities.rate_text, "10Mbit/s", "10Mbit/s"), (quantities.chance_text, 0.1, "0.1"), (quantities.chance_text, "10%", "10%"),
    ],
)  # fmt: skip
def test_amounts_as_the_daemon_reads_them(write, value, want):
    assert write(value) == want


@pytest.mark.parametrize(
    "write, value",
    [
        (quantities.duration_text, True), (quantities.duration_text, None), (quantities.size_text, 1.5), (quantities.size_text, True),
        (quantities.rate_text, 0.5), (quantities.chance_text, False), (quantities.chance_text, b"10%"),
    ],
)  # fmt: skip
def test_what_can_be_none_is_refused_at_once(write, value):
    with pytest.raises(TypeError, match=f"parameter: got {value!r}, want "):
        write(value, "parameter")
