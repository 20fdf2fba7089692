"""Sections on fits and predictions: steps, set-up, calls, memory and growth."""

from collections.abc import Mapping, Sequence
from statistics import median

from tests.benchmarks.cases import (
    CALLS,
    DENSE,
    FITS,
    FLOOR,
    GROWTH,
    JAX,
    JAX_COLD,
    KEPT,
    MLP,
    MLP_64,
    OURS,
    OURS_64,
    TORCH,
    Case,
)
from tests.benchmarks.contestants import enters
from tests.benchmarks.page import Page, section
from tests.benchmarks.race import Race, say
from tests.benchmarks.report import (
    NOTHING,
    Ratios,
    Times,
    counted,
    exponent,
    label,
    spread,
    table,
)
from tests.benchmarks.stage import footprint, measure, traced_peak, warm_up, whole

SPEED_NOTE = """\
Time of a peer divided by the time of skdeep in the same repeat, in float32 unless stated
otherwise: median (minimum-maximum) over the repeats. Above 1 skdeep is faster; where it is not,
the ratio is in bold type. A step is one batch, forward, backward and update; what a fit costs
besides is taken off and stands in a table of its own. PyTorch runs eagerly, with
`Adam(fused=True)` and whichever is faster of one thread and all. In JAX all epochs are one
compiled program (`lax.scan`); "with compiling" spreads the time of compiling it over the steps
of the fit. BLAS floor: the matrix products of a step alone, called through
`np.matmul(..., out=)` with the same shapes (SciPy's product for sparse input)."""
MEMORY_NOTE = """\
Growth of the peak memory of a fresh process during one fit, not counting imports and data, and
size of the pickled estimator (for PyTorch and JAX, of its parameters)."""
GROWTH_NOTE = """\
One epoch of a regression with batches of 256, 8,192 rows, 64 columns, 1 output and 2 hidden
layers of 64 units, where one of these numbers grows. First and last value, and the exponent,
which is the least-squares slope on logarithmic scales: 0 means constant, 1 linear. Time is that
of a whole fit, without compiling; memory is the peak of NumPy's allocations during the fit, not
counting the data."""


def speed(page: Page) -> str:
    parts = [part for n_cores in page.core_counts for part in _speed_on(page, n_cores)]
    return section("Training and prediction", SPEED_NOTE, *parts)


def _speed_on(page: Page, n_cores: int) -> list[str]:
    on = f"on {counted(n_cores, 'core')}"
    groups = {
        f"A training step {on}": ("us", DENSE, "steps"),
        f"A training step of other fits {on}": ("us", FITS[len(DENSE) :], "other_steps"),
        f"A call to predict or partial_fit {on}": ("us", CALLS, "calls"),
    }
    parts = []
    set_up: list[list[str]] = []
    with Race(n_cores) as race:
        for title, (unit, cases, file) in groups.items():
            found = Ratios(title, unit, _peers(page.names, file))
            for case in cases:
                if page.wanted(case.name, case.data):
                    found.rows[case.name] = _measured(page, race, case, set_up)
                    say(f"{title}: {found.table().splitlines()[-1]}")
            parts.append(page.ratios(found, f"benchmarks_{file}_{n_cores}.png"))
    if set_up:
        named = [name for name in (OURS, MLP, TORCH, JAX) if name in page.names]
        header = ["case", *map(label, named), *["JAX, compiling"] * (JAX in named)]
        title = f"### Set-up of a fit {on}, ms"
        parts.insert(1, f"{title}\n\n{table(header, set_up)}")
    return parts


def _peers(names: Sequence[str], file: str) -> list[str]:
    """Columns of a table: calls have no compiling of their own."""
    columns = [MLP, TORCH, JAX, JAX_COLD, FLOOR, MLP_64]
    if file != "steps":
        columns.remove(JAX_COLD)
    return [name for name in columns if name.split(",")[0] in names]


def _measured(page: Page, race: Race, case: Case, set_up: list[list[str]]) -> Times:
    """Seconds of a step of each contestant; their set-up becomes a row of its table."""
    names = [name for name in page.names if enters(name, case)]
    compiling = {name: race.ask(name, warm_up, case, page.data) for name in names}
    answers = race.in_turn(names, page.repeats, measure, case, page.data)
    times = {name: [step for step, _ in answers[name]] for name in names}
    cells = {name: spread([rest for _, rest in answers[name]], 1e3) for name in names}
    if JAX in names:
        seconds, n_steps = compiling[JAX]
        times[JAX_COLD] = [step + seconds / n_steps for step in times[JAX]]
        cells[JAX_COLD] = f"{1e3 * seconds:.3g}"
    if case in DENSE:
        columns = [name for name in (OURS, MLP, TORCH, JAX, JAX_COLD) if name in cells]
        set_up.append([case.name, *(cells[name] for name in columns)])
    return times


def memory(page: Page) -> str:
    names = [name for name in page.names if name not in (FLOOR, OURS_64, MLP_64)]
    peaks, pickles = [], []
    for case in KEPT:
        if not page.wanted(case.name, case.data):
            continue
        sizes = {}
        for name in names:
            if enters(name, case):
                with Race(page.all_cores) as fresh:
                    sizes[name] = fresh.ask(name, footprint, case, page.data)
        say(f"memory: {case.name} {sizes}")
        peaks.append([case.name, *_sizes(names, sizes, 0, 1e6)])
        pickles.append([case.name, *_sizes(names, sizes, 1, 1e3)])
    if not peaks:
        return ""
    header = ["case", *map(label, names)]
    tables = {"Peak, MB": peaks, "Pickle, kB": pickles}
    parts = [f"### {title}\n\n{table(header, rows)}" for title, rows in tables.items()]
    return section("Memory", MEMORY_NOTE, *parts)


def _sizes(
    names: Sequence[str], sizes: Mapping[str, Sequence[int]], which: int, unit: float
) -> list[str]:
    return [f"{sizes[name][which] / unit:.1f}" if name in sizes else NOTHING for name in names]


def growth(page: Page) -> str:
    timed = [name for name in (OURS, MLP, TORCH, JAX) if name in page.names]
    traced = [name for name in (OURS, MLP) if name in page.names]
    # What grows -> its sizes, and the seconds or bytes of each contestant.
    seconds: Curves = {}
    bytes_: Curves = {}
    for axis, cases in GROWTH.items():
        if not page.wanted(f"growth of {axis}", "regression"):
            continue
        seconds[axis] = ([], {name: [] for name in timed})
        bytes_[axis] = ([], {name: [] for name in traced})
        with Race(page.all_cores) as race:
            for size, case in cases:
                for name in timed:
                    race.ask(name, warm_up, case, page.data)
                answers = race.in_turn(timed, min(page.repeats, 3), whole, case, page.data)
                for name in timed:
                    seconds[axis][1][name].append(median(answers[name]))
                for name in traced:
                    peak = race.ask(name, traced_peak, case, page.data)
                    bytes_[axis][1][name].append(peak)
                for curves in (seconds, bytes_):
                    curves[axis][0].append(size)
        say(f"growth: {_growth_rows(seconds, 1e3)[-1]}")
    if not seconds:
        return ""
    parts = [
        f"### Time, ms\n\n{table(_growth_header(timed), _growth_rows(seconds, 1e3))}",
        f"### Memory, MB\n\n{table(_growth_header(traced), _growth_rows(bytes_, 1e-6))}",
    ]
    if page.figures:
        from tests.benchmarks.figures import draw_growth

        file = "benchmarks_growth.png"
        draw_growth(seconds, page.figures / file)
        parts.insert(1, page.picture("Time of a fit as the problem grows", file))
    return section("Growth", GROWTH_NOTE, *parts)


Curves = dict[str, tuple[list[int], dict[str, list[float]]]]


def _growth_header(names: Sequence[str]) -> list[str]:
    return ["what grows", *(column for name in names for column in (label(name), "exponent"))]


def _growth_rows(curves: Curves, scale: float) -> list[list[str]]:
    """First and last value and the exponent, for each contestant."""
    rows = []
    for axis, (sizes, found) in curves.items():
        row = [f"{axis}, {sizes[0]:,} to {sizes[-1]:,}"]
        for values in found.values():
            ends = [f"{scale * value:.3g}" for value in (values[0], values[-1])]
            row += [" to ".join(ends), f"{exponent(sizes, values):.2f}"]
        rows.append(row)
    return rows
