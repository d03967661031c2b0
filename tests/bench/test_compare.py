"""The table of the benchmark of two commits."""

from __future__ import annotations

from tests.bench.compare import BASE, NOW, ratios


def result(cpu: float, shown: str, **more: object) -> dict[str, object]:
    return {"machine": "2 cores", "CPU (ms)": cpu, "shown (ms)": shown, "429s": 0} | more


def test_medians_are_compared_and_what_both_do_not_have_is_left_out():
    base = [result(10, "40 / 80", old=1), result(30, "40 / 90", old=1), result(20, "50 / 70", old=1)]
    now = [result(16, "20 / 40"), result(15, "20 / 40"), result(90, "20 / 40")]
    assert ratios(base, now) == {
        "CPU (ms)": {BASE: 20, NOW: 16, "ratio": 0.8},
        "shown (ms) [p50]": {BASE: 40, NOW: 20, "ratio": 0.5},
        "shown (ms) [p95]": {BASE: 80, NOW: 40, "ratio": 0.5},
        "429s": {BASE: 0, NOW: 0, "ratio": None},
    }


def test_a_figure_that_a_run_could_not_measure_is_left_out():
    assert "shown (ms) [p50]" not in ratios([result(10, "-")], [result(10, "20 / 40")])
