"""limani people add | list | disable"""

from __future__ import annotations

import json
import secrets
import sys
from typing import Annotated

import typer

from limani.commands import offline
from limani.commands.told import Told
from limani.parts import Parts

app = typer.Typer(help="Accounts of responders and supervisors.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="the person's key in the roster")],
    role: Annotated[str, typer.Option(help="responder or supervisor")] = "responder",
    language: Annotated[str, typer.Option(help="language of the console: el or en")] = "el",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="read it from stdin")] = False,
) -> None:
    """Makes an account; without --password-stdin a first password is made and shown once."""
    from escalation import people

    password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(12)

    async def work(parts: Parts) -> None:
        hashed = await people.hash_password(password)
        await parts.db.write(lambda tx: people.add(tx, name, role, hashed, parts.clock.now(), language))

    try:
        offline.run(work)
    except people.PeopleError as error:
        raise Told(str(error)) from None
    if not password_stdin:
        typer.echo(f"{name}: first password {password}")


@app.command(name="list")
def list_people(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """Lists the accounts."""
    from escalation import people

    async def work(parts: Parts) -> list[dict[str, object]]:
        return await parts.db.read(people.list_all)

    rows = offline.run(work)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['name']:<16} {row['role']:<12} {'disabled' if row['disabled'] else 'active'}")


@app.command()
def disable(name: Annotated[str, typer.Argument(help="the account")]) -> None:
    """Closes an account; its sessions end at once."""
    from escalation import people

    async def work(parts: Parts) -> bool:
        return await parts.db.write(lambda tx: people.disable(tx, name, parts.clock.now()))

    if not offline.run(work):
        raise Told(f"there is no active account {name}")
