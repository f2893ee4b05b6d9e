"""Tables (Markdown) and a plot (SVG) of what `peers.py` measured, from its JSON alone: the same input, the same bytes.

``compare.py [results/peers.json]`` writes both beside the JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines import OURS, REFERENCE
from measuring import RESULTS

_TITLES = {"tpch": "TPC-H", "selective": "Selective", "metadata": "Metadata", "many": "Many files"}
_NAMED = {OURS: "deltasql", REFERENCE: "DuckDB", "polars": "Polars", "sail": "Sail", "naive": "naive (FFI)"}
_COLOURS = {OURS: "#d1495b", REFERENCE: "#edae49", "polars": "#00798c", "sail": "#66a182", "naive": "#8d96a3"}

Cell = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Suite:
    """The cells of one suite by query and engine, each in the order of the run."""

    name: str
    engines: list[str]
    rows: dict[str, dict[str, Cell]]

    def time(self, query: str, engine: str) -> float | None:
        """The median in milliseconds; None where the engine gave no right answer."""
        cell = self.rows[query].get(engine)
        found: float | None = cell["median"] if cell else None
        return found

    def best_peer(self, query: str) -> float | None:
        times = [self.time(query, engine) for engine in self.engines if engine != OURS]
        return min((time for time in times if time is not None), default=None)

    def ratios(self, engine: str | None) -> list[float]:
        """Ours over ``engine`` (None: the best peer of each query), where both are right."""
        pairs = (
            (self.time(query, OURS), self.best_peer(query) if engine is None else self.time(query, engine))
            for query in self.rows
        )
        return [ours / theirs for ours, theirs in pairs if ours is not None and theirs is not None]

    def total(self, engine: str, of: Iterable[str]) -> float:
        return sum(self.time(query, engine) or 0 for query in of)

    def common(self, *engines: str) -> list[str]:
        """The queries that all of ``engines`` answer right."""
        return [query for query in self.rows if all(self.time(query, engine) is not None for engine in engines)]


def suites(found: Mapping[str, Any]) -> list[Suite]:
    by_suite: dict[str, dict[str, dict[str, Cell]]] = {}
    for cell in found["results"]:
        by_suite.setdefault(cell["suite"], {}).setdefault(cell["query"], {})[cell["engine"]] = cell
    return [Suite(name, list(found["engines"]), rows) for name, rows in by_suite.items()]


# -- Markdown


def markdown(found: Mapping[str, Any]) -> str:
    parts = [head(found)]
    for suite in suites(found):
        parts += [f"## {_TITLES[suite.name]}", times(suite), summary(suite)]
    if gaps := [cell for cell in found["results"] if cell["outcome"] != "ok"]:
        lines = [f"- {named(c['engine'])}, {c['suite']}/{c['query']}: {c['outcome']}, {c['note']}" for c in gaps]
        parts += ["## Wrong and failed", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def head(found: Mapping[str, Any]) -> str:
    hardware, versions = found["hardware"], found["versions"]
    machine = f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gib']} GiB, load {hardware['load']:.1f}"
    lines = [
        f"Measured {found['measured']} on {machine}. Medians of {found['rounds']} or more hot runs, in ms.",
        ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        *(f"- {named(engine)}: {how}" for engine, how in found["engines"].items()),
        *(f"- {named(engine)}: left out, {why}" for engine, why in found["left_out"].items()),
    ]
    return "\n".join((lines[0], "", lines[1], "", *lines[2:]))


def times(suite: Suite) -> str:
    header = ["query", *map(named, suite.engines), "ours / best peer"]
    lines = [row(header), row(["---", *["---:"] * (len(header) - 1)])]
    for query, cells in suite.rows.items():
        shown = [text(cells.get(engine)) for engine in suite.engines]
        ours, best = suite.time(query, OURS), suite.best_peer(query)
        lines.append(row([query, *shown, ratio(ours / best) if ours and best else ""]))
    if suite.name == "tpch":
        common = suite.common(*suite.engines)
        totals = [f"{suite.total(engine, common):.0f}" for engine in suite.engines]
        lines.append(row([f"sum of the {len(common)} that all answer", *totals, ""]))
    return "\n".join(lines)


def summary(suite: Suite) -> str:
    """Ours against each peer, losses as plainly as wins."""
    lines = []
    for engine in [None, *(engine for engine in suite.engines if engine != OURS)]:
        ratios = suite.ratios(engine)
        if not ratios:
            continue
        against = "the best peer of each query" if engine is None else named(engine)
        lost = sum(ratio > 1 for ratio in ratios)
        line = f"- against {against}: geometric mean {ratio(statistics.geometric_mean(ratios))}"
        line += f", slower in {lost} of {len(ratios)}"
        if suite.name == "tpch" and engine is not None:
            both = suite.common(OURS, engine)
            ours, theirs = suite.total(OURS, both), suite.total(engine, both)
            line += f", total {ours:.0f} against {theirs:.0f} ms ({ratio(ours / theirs)})"
        lines.append(line)
    return "\n".join(["Ours over theirs, under 1 where ours is quicker:", "", *lines])


def named(engine: str) -> str:
    return _NAMED.get(engine, engine)


def ratio(value: float) -> str:
    return f"{value:.2f}×"


def text(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return f"{cell['median']:.1f}" if cell["median"] is not None else str(cell["outcome"])


def row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


# -- SVG


def plot(found: Mapping[str, Any], path: Path) -> None:
    """A panel per suite: each engine's time as a multiple of ours, on a logarithmic scale."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "deltasql", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter

    shown = suites(found)
    heights = [len(suite.rows) + 2 for suite in shown]
    figure, panels = plt.subplots(
        len(shown), 1, figsize=(8, 0.19 * sum(heights) + 1), squeeze=False, height_ratios=heights, layout="constrained"
    )
    for suite, panel in zip(shown, panels[:, 0], strict=True):
        names = list(suite.rows)
        panel.axvline(1, color=_COLOURS[OURS], linewidth=1.5, label=named(OURS))
        for engine in suite.engines:
            points = [
                (theirs / ours, place)
                for place, query in enumerate(names)
                if engine != OURS and (ours := suite.time(query, OURS)) and (theirs := suite.time(query, engine))
            ]
            if points:
                across, down = zip(*points, strict=True)
                panel.plot(across, down, "o", markersize=4, label=named(engine), color=_COLOURS.get(engine, "#3b3561"))
        panel.set(title=_TITLES[suite.name], xscale="log", yticks=range(len(names)), yticklabels=names)
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
        panel.invert_yaxis()
        panel.grid(alpha=0.3)
    panels[0, 0].legend(ncols=6, loc="lower center", bbox_to_anchor=(0.5, 1.08), frameon=False)
    panels[-1, 0].set_xlabel("time over deltasql's: right of the line deltasql is quicker, left of it slower")
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def report(path: Path) -> str:
    """Write ``path``'s tables and plot beside it; the tables, to be printed."""
    found = json.loads(path.read_text())
    tables = markdown(found)
    path.with_suffix(".md").write_text(tables)
    try:
        plot(found, path.with_suffix(".svg"))
    except ImportError as error:
        print(f"no plot: {error}", file=sys.stderr)
    return tables


if __name__ == "__main__":
    print(report(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS / "peers.json"))
