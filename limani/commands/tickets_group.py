"""limani tickets list | show | export | take | reply | note | close"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from limani.commands import offline
from limani.commands.told import Told
from limani.parts import Parts

app = typer.Typer(help="The ticket log, and what a responder does.", no_args_is_help=True)
Ref = Annotated[str, typer.Argument(help="the ticket's reference")]
As = Annotated[str, typer.Option("--as", help="roster key of the person who acts")]
Json = Annotated[bool, typer.Option("--json", help="for programs")]


@app.command(name="list")
def list_all(
    as_json: Json = False,
    status: Annotated[str | None, typer.Option(help="open, assigned, waiting or closed")] = None,
    risk: Annotated[str | None, typer.Option(help="none, amber or red")] = None,
) -> None:
    """Lists tickets, newest first."""
    from sqlalchemy import select

    from store.schema import tickets
    from tickets.view import list_tickets

    _one_of("--status", status, ("open", "assigned", "waiting", "closed"))
    _one_of("--risk", risk, ("none", "amber", "red"))
    query = select(tickets).order_by(tickets.c.id.desc())
    query = query.where(tickets.c.status == status) if status else query
    query = query.where(tickets.c.risk == risk) if risk else query
    found = _read(lambda tx, parts: list_tickets(tx, parts.record, query))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for ticket in found:
        typer.echo(_line(ticket))


@app.command()
def show(ref: Ref, as_json: Json = False) -> None:
    """Shows one ticket with its story."""
    from tickets.view import show_ticket

    ticket = _read(lambda tx, parts: show_ticket(tx, parts.record, ref))
    if ticket is None:
        raise Told(f"there is no ticket {ref}")
    if as_json:
        typer.echo(json.dumps(ticket, ensure_ascii=False))
        return
    typer.echo(_line(ticket))
    for name, value in ticket["answers"].items():
        typer.echo(f"  {name}: {value}")
    for entry in ticket["entries"]:
        typer.echo(f"  {entry['at']}  {entry['by']:<10} {entry['kind']:<9} {entry['text']}")
    for page in ticket["pages"]:
        typer.echo(f"  {page['at']}  page to {page['to']} by {page['by']}: {page['outcome']}")


@app.command()
def export(
    form: Annotated[str, typer.Option("--format", help="jsonl, csv or xlsx")] = "jsonl",
    out: Annotated[Path | None, typer.Option(help="file; the standard output if not given")] = None,
) -> None:
    """Exports the log, oldest first."""
    from sqlalchemy import select

    from store.schema import tickets
    from tickets.export import EXPORTS
    from tickets.view import list_tickets

    _one_of("--format", form, tuple(EXPORTS))
    if form == "xlsx" and out is None:
        raise Told("an xlsx file needs --out FILE")
    query = select(tickets).order_by(tickets.c.id)
    content = EXPORTS[form](_read(lambda tx, parts: list_tickets(tx, parts.record, query)))
    if out is None:
        sys.stdout.buffer.write(content)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Told(f"cannot write {out}: {error.strerror}") from None


@app.command()
def take(ref: Ref, person: As) -> None:
    """Takes a ticket: its page, if it has one, is acknowledged."""
    _act(lambda desk, tx, now: desk.take(tx, ref, person, now))


@app.command()
def reply(
    ref: Ref, person: As, text: Annotated[str, typer.Argument(help="what to tell the citizen")]
) -> None:
    """Writes to the citizen."""
    _act(lambda desk, tx, now: desk.reply(tx, ref, person, text, now))


@app.command()
def note(ref: Ref, person: As, text: Annotated[str, typer.Argument(help="for colleagues only")]) -> None:
    """Adds a private note."""
    _act(lambda desk, tx, now: desk.note(tx, ref, person, text, now))


@app.command()
def close(ref: Ref, person: As, outcome: Annotated[str, typer.Option(help="one word")]) -> None:
    """Closes a ticket."""
    _act(lambda desk, tx, now: desk.close(tx, ref, person, outcome, now))


def _read(work: Any) -> Any:
    async def main(parts: Parts) -> Any:
        return await parts.db.read(lambda tx: work(tx, parts))

    return offline.run(main)


def _act(deed: Any) -> None:
    """Does a responder's deed through the same code as the console; a running server sees it at once."""
    from escalation.desk import DeskError
    from escalation.forms import FormError
    from limani.escalate import make_escalation

    async def main(parts: Parts) -> None:
        desk = make_escalation(parts, None).desk
        await parts.db.write(lambda tx: deed(desk, tx, parts.clock.now()))

    try:
        offline.run(main)
    except (DeskError, FormError) as error:
        raise Told(str(error)) from None


def _one_of(option: str, value: str | None, words: tuple[str, ...]) -> None:
    if value is not None and value not in words:
        raise Told(f"{option} is one of {', '.join(words)}")


def _line(ticket: dict[str, Any]) -> str:
    who = ticket["assigned_to"] or "-"
    state = f"{ticket['risk']:<5}  {ticket['status']:<8}  {who:<10}"
    return f"{ticket['ref']}  {ticket['opened_at']}  {state}  {ticket['topic']}"
