"""Fifteen charts' worth of input for MultiQC, nbconvert and Evidently, into the folder named."""

from __future__ import annotations

import json
import sys
from pathlib import Path

EVIDENTLY = """
import sys, numpy as np, pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
random = np.random.default_rng(1)
def frame(shift):
    numbers = {f"n{i}": random.normal(shift * 0.1 * i, 1, 2000) for i in range(10)}
    return pd.DataFrame({**numbers, **{f"c{i}": random.choice(list("abcde"), 2000) for i in range(5)}})
Report([DataDriftPreset()]).run(frame(1), frame(0)).save_html(sys.argv[1])
"""
CELL = """
import io, matplotlib; matplotlib.use("Agg")
from matplotlib.figure import Figure
from IPython.display import SVG, display
figure = Figure(figsize=(8, 4)); axes = figure.subplots()
axes.{call}
axes.set_title("Chart {number}"); held = io.StringIO(); figure.savefig(held, format="svg"); display(SVG(held.getvalue()))
"""
CALLS = (
    "barh([f'label {i}' for i in range(15)], range(15))",
    "plot([0, 1], [[i for i in range(24)], [24 - i for i in range(24)]], marker='o')",
    "scatter([i * 37 % 101 for i in range(1500)], [i * 61 % 97 for i in range(1500)], s=4)",
)


def main(folder: Path) -> None:
    """Write everything."""
    (folder / "mq").mkdir(exist_ok=True)
    for plot in range(15):
        kind = ("bargraph", "linegraph", "scatter")[plot % 3]
        lines = [f"id: plot{plot}", f"section_name: Plot {plot}", f"plot_type: {kind}", "pconfig:",
                 f"  id: pc{plot}", f"  title: 'T: plot {plot}'", "data:"]  # fmt: skip
        for sample in range(15):
            lines.append(f"  s{sample}:")
            if kind == "scatter":
                lines += [f"    x: {sample}", f"    y: {sample * plot}"]
            else:
                lines += [
                    f"    {'cat' if kind == 'bargraph' else ''}{k}: {sample + k * plot + 1}"
                    for k in range(1, 9)
                ]
        (folder / "mq" / f"p{plot}_mqc.yaml").write_text("\n".join(lines) + "\n", "utf-8")
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "id": f"c{number}",
         "source": CELL.format(call=CALLS[number % 3], number=number)}
        for number in range(15)
    ]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "python3", "language": "python"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    (folder / "charts.ipynb").write_text(json.dumps(notebook), "utf-8")
    (folder / "evidently_peer.py").write_text(EVIDENTLY, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
