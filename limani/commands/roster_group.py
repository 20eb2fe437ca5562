"""limani roster show | check | ics"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from limani.commands import offline
from limani.commands.told import Told
from store.clock import SystemClock, rfc3339

if TYPE_CHECKING:
    from escalation.roster import Roster

app = typer.Typer(help="Who is on call, and when nobody is.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="for programs")]
Days = Annotated[int, typer.Option(min=1, max=3660, help="how far to look ahead")]
_LOCAL = "%Y-%m-%d %H:%M"
_YEARS = range(1970, 2200)


@app.command()
def show(
    at: Annotated[
        str | None, typer.Option(help='a moment: 2026-12-24T23:00:00+02:00, or "2026-12-24 23:00" local time')
    ] = None,
    as_json: Json = False,
) -> None:
    """Shows who is on call, in the order in which they are rung."""
    from escalation.roster import on_call, supervisors

    roster = _roster()
    moment = parse_moment(at, roster.zone)
    people = on_call(roster, moment)
    leaders = [person for person in supervisors(roster) if person not in people]
    if as_json:
        answer = {
            "at": rfc3339(moment),
            "on_call": [person.key for person in people],
            "supervisors": [person.key for person in supervisors(roster)],
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    typer.echo(f"{_local(moment, roster.zone)} ({roster.zone.key})")
    for number, person in enumerate(people, 1):
        typer.echo(f"  {number}. {_line(person)}")
    if not people:
        typer.echo("  nobody is on call")
    for person in leaders:
        typer.echo(f"  supervisor {_line(person)}")


@app.command()
def check(days: Days = 60, as_json: Json = False) -> None:
    """Lists the times in which nobody on shift can be rung; exit code 1 if there are any."""
    from escalation.roster import gaps

    roster = _roster()
    found = gaps(roster, SystemClock().now(), days)
    if as_json:
        shown = [{"from": rfc3339(begins), "to": rfc3339(ends)} for begins, ends in found]
        typer.echo(json.dumps(shown))
    else:
        for begins, ends in found:
            typer.echo(f"nobody from {_local(begins, roster.zone)} to {_local(ends, roster.zone)}")
        typer.echo(f"{len(found)} gaps in the next {days} days")
    if found:
        raise SystemExit(1)


@app.command()
def ics(
    days: Days = 60,
    out: Annotated[Path | None, typer.Option(help="file; the standard output if not given")] = None,
) -> None:
    """Exports the shifts of the next days as a calendar (names of people, no phones)."""
    from limani.calendar import as_calendar

    now = SystemClock().now()
    calendar = as_calendar(_roster(), now, now + timedelta(days=days))
    if out is None:
        typer.echo(calendar, nl=False)
        return
    try:
        out.write_text(calendar, encoding="utf-8", newline="")
    except OSError as error:
        raise Told(f"cannot write {out}: {error.strerror}") from None


def parse_moment(text: str | None, zone: ZoneInfo) -> datetime:
    """A moment as people write it; a time without an offset is the town's. Now if there is none."""
    if text is None:
        return SystemClock().now()
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.year not in _YEARS:
            raise ValueError("not of this time")
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        return aware.astimezone(ZoneInfo("UTC"))
    except ValueError:
        raise Told(
            f'--at does not understand {text[:40]!r}: write 2026-12-24T23:00:00+02:00 or "2026-12-24 23:00"'
        ) from None


def _roster() -> Roster:
    """The roster that the settings name, else the profile's own."""
    from escalation.forms import FormError
    from escalation.roster_file import read_roster

    settings = offline.given_settings()
    profile = offline.given_profile(settings)
    try:
        return read_roster(settings.roster or profile.roster_path, profile.zone)
    except FormError as error:
        raise Told(str(error)) from None


def _line(person: Any) -> str:
    reach = "" if person.phone else " (no phone)"
    return f"{person.key:<12} {person.name}{reach}"


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime(_LOCAL)
