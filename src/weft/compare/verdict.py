"""Which model suits the program, in one sentence that claims no more than the runs show.

Two models are told apart in a figure only if the ranges of their runs do not touch and the medians lie 5 % or
more apart, 25 % where there are fewer than four runs. With five runs each, the ranges of two equal models lie
apart once in 126 times.
"""

from collections.abc import Sequence

from weft.compare.outcome import Comparison, Outcome, Spread
from weft.compare.words import listed, memory, ratio, seconds

__all__ = ["apart", "verdict"]

CLEAR = 1.05  # below this a difference is no reason to choose, whatever the ranges say
FEW = 4  # below so many runs ranges lie apart by chance too often (3 of each: once in 10 times)
CLEAR_OF_FEW = 1.25
BUSY = 1.15  # CPU seconds a second that are more than one processor's
START_ALONE = 1.3  # a lead of this many times what the start is quicker, or less, comes from the start
MOSTLY = 0.5  # of the time for the start alone: then the program itself has hardly been compared


def verdict(comparison: Comparison) -> tuple[str | None, str]:
    """The model that suits, or None, and the sentence."""
    able = [found for found in comparison.outcomes if found.timed and found.failed is None]
    if not able:
        return None, "No model ran the program to its end with status 0, so there is nothing to choose from."
    if len(able) == 1:
        if len(comparison.outcomes) == 1:
            return able[0].model, f"Only {able[0].model} was run, so there is nothing to compare it with."
        return able[
            0
        ].model, f"{able[0].model} suits: no other model ran the program to its end with status 0."
    model, words = _by_figures(able)
    if model is not None and not comparison.unsteady and any(found.differing for found in able):
        words += f"; look first at why {_different(able)} printed something else"
    elif comparison.runs < FEW:
        words += f"; {_runs(comparison.runs)} of each cannot say much about noise"
    elif _only_starts(able):
        words += "; but most of the time is the start of the interpreter, so try it with more work"
    return model, words + "."


def apart(low: Spread, high: Spread) -> bool:
    """Whether `high` is more than `low` by what is not noise."""
    clear = CLEAR if min(len(low.all), len(high.all)) >= FEW else CLEAR_OF_FEW
    return low.most < high.least and high.median >= low.median * clear


def _by_figures(able: Sequence[Outcome]) -> tuple[str | None, str]:
    """The least wall time; where that is not clear the least CPU time, and then the least memory."""
    tied = list(able)
    so_far = ""
    for name, what, show in (
        ("wall", "", seconds),
        ("cpu", " of CPU time", seconds),
        ("memory", " of memory", memory),
    ):
        figures = {found.model: found.spread(name) for found in tied}
        ranked = sorted(
            ((found, spread) for found in tied if (spread := figures[found.model])),
            key=lambda pair: pair[1].median,
        )
        (best, least), *others = ranked
        near = [found for found, mine in ranked if not any(apart(other, mine) for _, other in ranked)]
        if len(near) == 1:
            second, more = others[0]
            words = (
                f"{best.model} suits this program{so_far}: it takes {show(least.median)}{what}, "
                f"{second.model} {show(more.median)} ({ratio(more.median / least.median)})"
            )
            return best.model, words + (_reason(best, second) if name == "wall" else "")
        tied = near
        if not so_far:
            all_of = "all models take" if len(near) == len(able) else f"{listed(_names(able, near))} take"
            so_far = f", though {all_of} the same time within the noise"
    if len(tied) == len(able):
        return None, "No model stands out: in time and in memory the differences are within the noise"
    return None, (
        f"{listed(_names(able, tied))} suit this program alike: "
        "the differences between them are within the noise"
    )


def _reason(best: Outcome, second: Outcome) -> str:
    """What else the figures show that goes with being faster."""
    lead = _median(second, "wall") - _median(best, "wall")
    if (
        best.startup
        and second.startup
        and lead <= START_ALONE * (second.startup.median - best.startup.median)
    ):
        return "; nearly all of that lead is the start alone, which does not grow with the work"
    counts = best.counts
    if counts is not None and counts.switches:
        mine, theirs = _kernel_switches(best), _kernel_switches(second)
        if counts.switches > mine and theirs > 2 * mine and theirs > 1000:
            return (
                f"; the kernel switches {mine:,.0f} times instead of {theirs:,.0f}, "
                f"since weft switches the {counts.threads:,} threads itself"
            )
        return ""
    wall, cpu = _median(best, "wall"), _median(best, "cpu")
    if second.counts and second.counts.switches and cpu > BUSY * wall:
        return f"; its threads keep {cpu / wall:.1f} processors busy at once"
    return ""


def _median(found: Outcome, name: str) -> float:
    spread = found.spread(name)
    return spread.median if spread else 0.0


def _kernel_switches(found: Outcome) -> float:
    return _median(found, "voluntary") + _median(found, "involuntary")


def _names(able: Sequence[Outcome], some: Sequence[Outcome]) -> list[str]:
    """In the order in which they were asked for."""
    return [found.model for found in able if found in some]


def _different(able: Sequence[Outcome]) -> str:
    return listed([found.model for found in able if found.differing])


def _runs(count: int) -> str:
    return "one run" if count == 1 else f"{count} runs"


def _only_starts(able: Sequence[Outcome]) -> bool:
    return all(found.startup and found.startup.median > MOSTLY * _median(found, "wall") for found in able)
