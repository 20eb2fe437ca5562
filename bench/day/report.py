"""The table, the JSON and the plot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_WIDE, _HIGH, _LEFT = 860, 170, 70


def table(result: dict[str, Any]) -> str:
    """Everything in lines that a terminal shows."""
    parts = (_run, _country, _queues, _humans, _host, _limits, _variations, _internet)
    return "\n".join(line for part in parts for line in (*part(result), ""))


def _run(result: dict[str, Any]) -> Iterator[str]:
    run = result["run"]
    calm, red, first = run["calm"], run["red"], run["clocks"]["first_call"]
    yield (
        f"THE RUN: {len(run['towns'])} whole municipalities, {run['inhabitants']:,} inhabitants, "
        "real product, fake clock"
    )
    yield (
        f"  conversations {run['conversations']:,}   messages of citizens {run['stimuli']:,}   "
        f"of the bot {run['spoken']:,}"
    )
    yield (
        f"  processor {run['cpu']:.0f} s: {run['cpu_each_us']:.0f} us a message of a citizen, and "
        f"{run['cpu_other']:.0f} s for calls, due steps and responders"
    )
    yield (
        f"  busiest minute {run['busiest_minute']:.1%} of a core; a commit waits {result['fsync_us']:.0f} us "
        "for this disk (charged to the core as well)"
    )
    yield f"  reply: {_waits(calm)} (simulated time; the core's and the bot's queue are in it)"
    yield f"  first words to somebody in danger: {_waits(red)}"
    yield f"  page needed to first call: 99th {first['p99']:.2f} s, longest {first['longest']:.2f} s"
    yield (
        f"  kept: {run['rows_each']:.1f} rows, {run['bytes_each']:.0f} bytes, "
        f"{run['commits_each']:.1f} commits a message"
    )
    yield (
        f"  at the end: {run['left']} not handled, {run['strange']} quarantined, {run['unsent']} not sent; "
        f"written again for want of an answer {run['impatient']}"
    )


def _country(result: dict[str, Any]) -> Iterator[str]:
    nation = result["country"]
    yield "THE COUNTRY: arrivals drawn for all municipalities; courses of talks and costs are the run's"
    yield (
        f"  {nation['conversations']:,} conversations, {nation['messages']:,} messages in, "
        f"{nation['spoken']:,} out, {nation['red']:,} in danger, {nation['calls']:,} calls"
    )
    yield "  hour        in/s  busiest second"
    for hour, row in enumerate(nation["hours"]):
        yield f"  {hour:02d}:00   {row['mean']:8.1f}  {row['busiest_second']:8.0f}"


def _queues(result: dict[str, Any]) -> Iterator[str]:
    nation, cost = result["country"], result["cost"]
    yield (
        f"ONE CORE: a batch costs {cost['batch_us']:.0f} us for each town in it "
        f"and {cost['message_us']:.0f} us a message (measured)"
    )
    for row in nation["core"]:
        whole = f", whole day {row['whole_day']:.1%}" if row["whole_day"] is not None else ""
        busy = f"busiest minute {row['busiest_minute']:.0%}{whole}"
        yield f"  {row['load']:2d} such countries: {busy}, reply {_waits(row)}"
    yield "TELEGRAM"
    for row in nation["telegram"]:
        yield f"  {row['what']}: {row['rate']:.0f}/s allowed, {_gate(row)}"
    yield "TELEPHONE, one account for the country"
    for row in nation["twilio"]:
        yield f"  {row['cps']:.0f} calls/s allowed, {_gate(row)}"


def _waits(row: dict[str, Any]) -> str:
    return f"median {row['p50'] * 1e3:.1f} ms, 99th {row['p99'] * 1e3:.0f} ms, longest {row['longest']:.1f} s"


def _gate(row: dict[str, Any]) -> str:
    return (
        f"busiest minute {row['busiest_minute']:.2f}/s, wait 99th {row['p99']:.1f} s, "
        f"longest {row['longest']:.0f} s"
    )


def _humans(result: dict[str, Any]) -> Iterator[str]:
    people = result["country"]["people"]
    yield (
        f"HUMANS, for 100,000 inhabitants: {people['red_per_100000']:.1f} red cases a day, "
        f"{people['red_busiest_hour_per_100000']:.1f} in the busiest hour, "
        f"{people['at_once_in_busiest_hour_per_100000']:.1f} at once"
    )
    yield (
        f"  {people['tickets']:,.0f} tickets in the country = {people['ticket_hours']:,.0f} hours of people; "
        f"for 100,000 inhabitants {people['people_for_tickets_per_100000']:.0f} people that day"
    )
    head = "cases  <=60 s  <=120 s  word<=5min  p99 taken  alarm  1st call  calls  used"
    yield f"  {'the real pager with':48s} {head}"
    for row in result["humans"]:
        yield (
            f"  {row['name']:48s} {row['cases']:5d}  {row['taken_60']:6.1%}  {row['taken_120']:6.1%}  "
            f"{row['heard_300']:9.1%}  {_seconds(row['taken_p99']):>9s}  {row['alarms']:5.1%}  "
            f"{row['first_call']['longest']:6.1f} s  {row['calls_a_case']:5.1f}  {row['used']:4.0%}"
        )


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f} s"


def _host(result: dict[str, Any]) -> Iterator[str]:
    idle = result["idle"]
    yield f"MANY TOWNS IN A PROCESS (nobody writes): before the first {idle['mind_mb']:.0f} MB"
    for row in idle["stages"]:
        yield f"  {row['towns']:3d} towns: {row['resident_mb']:.0f} MB, {row['cpu_share']:.1%} of a core"
    each = idle["each"]
    yield (
        f"  each more: {each['mb']:.1f} MB, {each['cpu_share']:.2%} of a core; "
        f"all: {each['all_mb']:.0f} MB, {each['all_cores']:.1f} cores"
    )


def _limits(result: dict[str, Any]) -> Iterator[str]:
    yield "LIMITS, the one that is exceeded most first"
    for at, limit in enumerate(result["limits"], 1):
        yield f"  {at}. {limit['what']}: {limit['why']}"


def _variations(result: dict[str, Any]) -> Iterator[str]:
    yield "ONE ASSUMPTION CHANGED"
    yield "                                  core's  bot msg/s  calls/s  red at once  people for tickets"
    yield "                         busiest  minute   (share)             (per 100,000 inhabitants)"
    for row in result["variations"]:
        yield (
            f"  {row['name']:>18s} {row['from']:>6} -> {row['to']:<7} {row['core']:5.0%}  {row['bot']:9.1f}  "
            f"{row['calls']:7.2f}  {row['red_at_once']:11.1f}  {row['for_tickets']:18.0f}"
        )


def _internet(result: dict[str, Any]) -> Iterator[str]:
    yield "ON PAPER, at the worst second"
    yield (
        f"  {'inhabitants':>13s} {'messages/s':>10s} {'cores':>6s} {'(alone)':>8s} {'bots':>7s} "
        f"{'(paid)':>7s} {'calls/s':>8s} "
        f"{'GB a day':>9s} {'commits/s':>10s} {'on duty':>9s} {'for tickets':>12s}"
    )
    for row in result["internet"]:
        yield (
            f"  {row['inhabitants']:13,.0f} {row['messages_a_second']:10,.0f} {row['cores']:6,.1f} "
            f"{row['cores_alone']:8,.1f} {row['bots']:7,.0f} {row['bots_paid']:7,.1f} "
            f"{row['calls_a_second']:8,.1f} "
            f"{row['bytes_a_day'] / 1e9:9,.1f} {row['commits_a_second']:10,.0f} "
            f"{row['on_duty']:9,.0f} {row['for_tickets']:12,.0f}"
        )


def write(result: dict[str, Any], folder: Path) -> None:
    """JSON and plot."""
    folder.mkdir(parents=True, exist_ok=True)
    lists = ("talks", "calls_calm", "calls_cut", "towns")
    run = {name: value for name, value in result["run"].items() if name not in lists}
    words = json.dumps({**result, "run": run}, ensure_ascii=False, indent=1)
    (folder / "worst-day.json").write_text(words, "utf-8")
    (folder / "worst-day.svg").write_text(_svg(result), "utf-8")


def _svg(result: dict[str, Any]) -> str:
    hours, run = result["country"]["hours"], result["run"]["hours"]
    size = f'width="{_WIDE}" height="{3 * _HIGH}"'
    mean, second = [row["mean"] for row in hours], [row["busiest_second"] for row in hours]
    used = [row["cpu_seconds"] for row in run]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect {size} fill="#fff"/>',
        *_bars(0, "messages a second in the whole country, mean of the hour", mean, "#2a6f97"),
        *_bars(1, "messages in the busiest second of the hour", second, "#c1121f"),
        *_bars(2, "CPU seconds that the sample used in the hour", used, "#588157"),
        "</svg>",
    ]
    return "\n".join(parts)


def _bars(row: int, title: str, values: Sequence[float], colour: str) -> Iterator[str]:
    top, most, step = row * _HIGH, max(*values, 1e-9), (_WIDE - _LEFT - 20) / len(values)
    yield f'<text x="{_LEFT}" y="{top + 18}">{title} (most: {most:.1f})</text>'
    for at, value in enumerate(values):
        high = (_HIGH - 60) * value / most
        x, y = _LEFT + at * step, top + _HIGH - 30 - high
        box = f'width="{step * 0.8:.1f}" height="{high:.1f}" fill="{colour}"'
        yield f'<rect x="{x:.1f}" y="{y:.1f}" {box}/>'
        if at % 3 == 0:
            yield f'<text x="{x:.1f}" y="{top + _HIGH - 14}">{at:02d}:00</text>'
