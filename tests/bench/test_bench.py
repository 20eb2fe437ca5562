"""The bench measures what it says: both servers hold the same conversations, and its own parts are right."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bench import cores, goals, load, plot, report, servers, stages, table, truth
from bench.goals import GOALS, ROWS, Goal
from bench.load import Crowd
from bench.run import Figure


async def test_ours_and_the_peer_hold_the_same_conversations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "SILENCE", 0.2)
    both = cores.BOTH
    async with servers.house(tmp_path / "ours", on=both) as ours, servers.peer("ptb", folder=tmp_path) as ptb:
        mine, theirs = Crowd(ours, 10_000_000), Crowd(ptb, 20_000_000)
        await asyncio.gather(mine.learn(), theirs.learn())
        assert mine.counts == theirs.counts
        result = await mine.closed(0.3, at_once=8, warm=0.1)
        assert result.turns
        assert result.cpu
        assert not result.stray
        kept = await truth.all_kept(mine, tmp_path / "ours" / "limani.db")
        assert kept["done"] == kept["stored"] == mine.sent


def test_every_stage_of_the_profile_is_a_function_of_the_product() -> None:
    assert stages.missing() == []


def test_every_goal_has_a_row_and_its_aim_is_no_weaker_than_its_must() -> None:
    rows = {path.stem for path in (Path(goals.__file__).parent / "rows").glob("[a-z]*.py")}
    assert set(ROWS) == rows
    assert all(goal.aim >= goal.must if goal.more else goal.aim <= goal.must for goal in GOALS)


@pytest.mark.parametrize(
    ("value", "more", "verdict"),
    [
        (0.6, True, "aim"),
        (0.4, True, "must"),
        (0.3, True, "FAILS"),
        (0.3, False, "aim"),
        (0.6, False, "FAILS"),
    ],
)
def test_a_verdict(value: float, more: bool, verdict: str) -> None:
    bounds = (0.35, 0.5) if more else (0.5, 0.35)
    assert Goal("k", "row", "what", "peer", *bounds, "x", more).verdict(value) == verdict


def test_the_table_the_file_and_the_plot_hold_every_figure_and_every_failure(tmp_path: Path) -> None:
    figures = {"door": Figure(0.4, "400/s", "1000/s", {"stored": 9}), "cold": Figure(2.5, "2.50 s")}
    failures = {"page": "RowFailed: 1 of 300 red messages led to no call"}
    lines = table.rows_of(figures, failures)
    assert [line[-1] for line in lines] == ["must", "FAILS", "FAILS"]
    assert "400/s : 1000/s" in table.as_text(lines)
    table.write_json(tmp_path / "bench.json", figures, failures, 12.3, quick=True)
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written["figures"]["door"]["verdict"] == "must"
    assert written["failures"] == failures
    plot.write(tmp_path / "bench.svg", figures)
    drawn = (tmp_path / "bench.svg").read_text()
    assert drawn.count("<rect") == 1 + len(figures)


def test_the_page_takes_the_newest_figures_between_its_marks(tmp_path: Path) -> None:
    figures = {"door": Figure(0.4, "400/s", "1000/s")}
    table.write_json(tmp_path / "bench.json", figures, {}, 12.3, quick=False)
    measured = json.loads((tmp_path / "bench.json").read_text())
    page = report.put(report.PAGE.read_text(), "figures", report.figures(measured))
    assert "| 400/s : 1000/s | 0.4 x its rate | 0.35 | 0.5 | must |" in page
    assert report.put(page, "figures", report.figures(measured)) == page
    with pytest.raises(ValueError, match="no place"):
        report.put("a page", "figures", "")
