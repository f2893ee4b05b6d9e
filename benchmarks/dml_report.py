"""Tables (Markdown), gates and a plot (SVG) of what `dml.py` measured, from its JSON alone.

``dml_report.py [results/dml.json]`` writes both beside the JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from compare import ratio, row
from dml_sides import ALIKE, BARE, SAIL
from engines import OURS
from measuring import RESULTS

LIMIT = 1.10
_INSERT = "insert_all"
_NAMED = {OURS: "deltasql", BARE: "delta-rs", ALIKE: "delta-rs, zstd", SAIL: "Sail"}
_COLOURS = {BARE: "#00798c", ALIKE: "#3b3561", SAIL: "#66a182"}

Measure = Literal["wall", "cpu", "peak", "written"]
_MEASURES: dict[Measure, tuple[str, str]] = {
    "wall": ("Wall seconds", ".2f"),
    "cpu": ("Processor seconds", ".2f"),
    "peak": ("Peak memory (MiB)", ".0f"),
    "written": ("New data files (MiB)", ".1f"),
}


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs by case and side."""

    sides: Sequence[str]
    rows: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]

    def median(self, case: str, side: str, measure: Measure) -> float | None:
        """None where a run was wrong or failed."""
        found = self.rows[case].get(side, ())
        if not found or any(run["outcome"] != "ok" for run in found):
            return None
        return float(statistics.median(run[measure] for run in found))

    def ratio(self, case: str, side: str, measure: Measure) -> float | None:
        """Ours over theirs."""
        ours, theirs = self.median(case, OURS, measure), self.median(case, side, measure)
        return ours / theirs if ours is not None and theirs else None


def collected(found: Mapping[str, Any]) -> Runs:
    rows: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for run in found["runs"]:
        rows.setdefault(run["case"], {}).setdefault(run["side"], []).append(run)
    return Runs(list(found["sides"]), rows)


# -- gates


@dataclass(frozen=True, slots=True)
class Gate:
    """Ours over ``side``; wall and processor must both be under `LIMIT`. None where nothing was measured."""

    name: str
    side: str
    wall: float | None
    cpu: float | None

    @property
    def verdict(self) -> str:
        if self.wall is None or self.cpu is None:
            return "not measured"
        over = [name for name, found in (("wall", self.wall), ("processor", self.cpu)) if found >= LIMIT]
        return f"MISSED by {' and '.join(over)}" if over else "met"

    @property
    def is_missed(self) -> bool:
        return self.verdict.startswith("MISSED")


def gates(runs: Runs) -> Iterator[Gate]:
    """INSERT of the whole table, and the geometric mean of the other cases; against delta-rs with either codec."""
    others = [case for case in runs.rows if case != _INSERT]
    for side in (ALIKE, BARE):
        for name, cases in (("INSERT of all rows", [_INSERT]), ("mean of the others", others)):
            wall, cpu = (_mean(runs, cases, side, measure) for measure in ("wall", "cpu"))
            yield Gate(name, side, wall, cpu)


def _mean(runs: Runs, cases: Sequence[str], side: str, measure: Measure) -> float | None:
    ratios = [runs.ratio(case, side, measure) for case in cases if case in runs.rows]
    known = [each for each in ratios if each is not None]
    return statistics.geometric_mean(known) if known else None


def missed(found: Mapping[str, Any]) -> bool:
    """True if a gate against the same codec is missed."""
    return any(gate.is_missed for gate in gates(collected(found)) if gate.side == ALIKE)


# -- Markdown


def markdown(found: Mapping[str, Any]) -> str:
    runs = collected(found)
    parts = [head(found), "## Gates", gated(runs)]
    for measure, (title, _) in _MEASURES.items():
        parts += [f"## {title}", table(runs, measure)]
    if gaps := [run for run in found["runs"] if run["outcome"] != "ok"]:
        lines = [f"- {_NAMED[run['side']]}, {run['case']}: {run['outcome']}, {run['note']}" for run in gaps]
        parts += ["## Wrong and failed", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def head(found: Mapping[str, Any]) -> str:
    hardware, loads = found["hardware"], [run["load"] for run in found["runs"]]
    machine = f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gib']} GiB"
    lines = [
        f"Measured {found['measured']} on {machine}, load {min(loads):.1f} to {max(loads):.1f}.",
        f"TPC-H at scale {found['scale']:g}, medians of {found['rounds']} rounds, each run a process of its own.",
        "",
        ", ".join(f"{name} {version}" for name, version in found["versions"].items()) + ".",
        "",
        *(f"- {_NAMED[side]}: {how}; files are {codecs(found, side)}" for side, how in found["sides"].items()),
    ]
    return "\n".join(lines)


def codecs(found: Mapping[str, Any], side: str) -> str:
    return (
        " and ".join(sorted({run["codec"] for run in found["runs"] if run["side"] == side and run["codec"]})) or "none"
    )


def gated(runs: Runs) -> str:
    lines = [
        row(["ours over delta-rs", "wall", "processor", f"under {LIMIT:.2f}×"]),
        row(["---", "---:", "---:", "---"]),
    ]
    for gate in gates(runs):
        cells = [ratio(value) if value is not None else "" for value in (gate.wall, gate.cpu)]
        lines.append(row([f"{gate.name}, {_NAMED[gate.side]}", *cells, gate.verdict]))
    return "\n".join(lines)


def table(runs: Runs, measure: Measure) -> str:
    """Medians of each side, and ours over each other side's."""
    others = [side for side in runs.sides if side != OURS]
    header = ["case", *(_NAMED[side] for side in runs.sides), *(f"ours / {_NAMED[side]}" for side in others)]
    lines = [row(header), row(["---", *["---:"] * (len(header) - 1)])]
    for case in runs.rows:
        ratios = [runs.ratio(case, side, measure) for side in others]
        cells = [_cell(runs, case, side, measure) for side in runs.sides]
        lines.append(row([case, *cells, *("" if each is None else ratio(each) for each in ratios)]))
    return "\n".join(lines)


def _cell(runs: Runs, case: str, side: str, measure: Measure) -> str:
    median = runs.median(case, side, measure)
    if median is not None:
        return format(median, _MEASURES[measure][1])
    found = runs.rows[case].get(side, ())
    return str(found[-1]["outcome"]) if found else ""


# -- SVG


def plot(found: Mapping[str, Any], path: Path) -> None:
    """Each side's time as a multiple of ours, on a logarithmic scale; a panel for wall, one for processor time."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "deltasql", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    runs = collected(found)
    names = list(runs.rows)
    figure, panels = plt.subplots(1, 2, figsize=(9, 0.22 * len(names) + 1.3), sharey=True, layout="constrained")
    shown: tuple[Measure, Measure] = ("wall", "cpu")
    for panel, measure in zip(panels, shown, strict=True):
        panel.axvline(1, color="#d1495b", linewidth=1.5, label=_NAMED[OURS])
        for side in runs.sides:
            points = [
                (1 / ours, place) for place, name in enumerate(names) if (ours := runs.ratio(name, side, measure))
            ]
            if side != OURS and points:
                across, down = zip(*points, strict=True)
                panel.plot(across, down, "o", markersize=4, label=_NAMED[side], color=_COLOURS[side])
        panel.set(title=_MEASURES[measure][0], xscale="log", yticks=range(len(names)), yticklabels=names)
        multiple = FuncFormatter(lambda value, _: f"{value:g}×")
        panel.xaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter=multiple)
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.grid(alpha=0.3)
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), ncols=4, loc="outside upper center", frameon=False)
    figure.supxlabel("time over deltasql's: right of the line deltasql is quicker, left of it slower")
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
    print(report(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS / "dml.json"))
