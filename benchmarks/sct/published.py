"""Published figures for the same programs: the mean of the schedules until the bug is found the first time.

They are of 20 trials, cut at 10,000 schedules (SafeStack: 1,000,000); a second number, where there is one, is
in how many it was found. From the artifact of Zhao and others, ASPLOS 2025. None: in none; absent: no figure.
"""

Figure = tuple[int, int] | None

#: Columns: SURW, PCT with d = 3, POS, random walk.
STRATEGIES = ("surw", "pct", "pos", "uniform")


def _all(*means: int | tuple[int, int] | None) -> dict[str, Figure]:
    return {
        name: (mean if isinstance(mean, tuple) or mean is None else (mean, 20))
        for name, mean in zip(STRATEGIES, means, strict=True)
        if mean != -1
    }


PUBLISHED: dict[str, dict[str, Figure]] = {
    "aget_bug2": _all(2, 2, 1, 1),
    "stringbuffer": _all(8, 281, 23, (2243, 19)),
    "account": _all(6, 4, 4, 18),
    "bluetooth_driver": _all(70, 112, 36, 215),
    "carter01": _all(-1, 5, 2, 1),
    "circular_buffer": _all(3, 9, 2, 4),
    "deadlock01": _all(2, 13, 4, 3),
    "lazy01": _all(2, 5, 5, 21),
    "queue": _all(2, 3, 1, 1),
    "reorder_3": _all(7, 185, 86, None),
    "reorder_4": _all(7, 554, 533, None),
    "reorder_5": _all(10, 647, 2169, None),
    "reorder_10": _all(17, (3225, 16), None, None),
    "reorder_20": _all(6, 3005, None, None),
    "reorder_50": _all(13, (3304, 6), None, None),
    "reorder_100": _all(194, None, None, None),
    "stack": _all(5, 3, 2, 176),
    "token_ring": _all(8, 8, 9, 13),
    "twostage": _all(8, 13, 15, 464),
    "twostage_20": _all(6, 159, 156, None),
    "twostage_50": _all(20, 1676, 1637, None),
    "twostage_100": _all(454, (7466, 3), (6674, 3), None),
    "wronglock": _all(7, 51, 10, 36),
    "wronglock_3": _all(9, 58, 11, 36),
    "work_steal_queue": _all(6, 48, 12, -1),
    "interlocked_work_steal_queue": _all(6, 48, 14, None),
    "state_work_steal_queue": _all(7, 842, 6, -1),
    "interlocked_state_work_steal_queue": _all(6, 907, 5, 26),
    "bounded_buffer": _all(9, 20, 5, 7),
    "rad_bug4": _all(23, (1973, 19), 240, (1688, 19)),
    "rad_bug6": _all(4, 42, 18, 48),
    "safestack": _all((368921, 19), None, None, None),
    "splash2": _all(3, 2, 3, 3),
}
