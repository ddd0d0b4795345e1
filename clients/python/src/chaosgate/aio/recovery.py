"""That what is tested works again."""

import time
from typing import Any, Callable

from .. import quantities
from .transport import TIMEOUTS, outcome, pause


async def recovers(call: Callable[[], Any], within: quantities.Duration) -> float:
    """Calls until that raises nothing, and returns after how many seconds that was.

    What returns False has failed, too. When it still fails as the time is over that is an AssertionError, with the last error as its
    cause. The pause between two calls is 10 ms at first and doubles up to 200 ms.
    """
    limit = quantities.duration_seconds(within, "within")
    start, rest, calls = time.monotonic(), 0.01, 0
    while True:
        calls += 1
        begun = time.monotonic() - start
        why = None
        try:
            if await outcome(call, max(limit - begun, 0.001)) is not False:
                return time.monotonic() - start
        except TIMEOUTS as err:
            why = err
        except Exception as err:
            why = err
        took = time.monotonic() - start
        if took + rest >= limit:
            said = "it returned False" if why is None else f"{type(why).__name__}: {why}"
            raise AssertionError(f"it has not recovered within {limit:g} s, in {calls} calls; the last error: {said}") from why
        await pause(rest)
        rest = min(2 * rest, 0.2)
