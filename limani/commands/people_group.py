"""limani people add | list | disable"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from limani.commands import offline
from limani.commands.told import Told
from limani.parts import Parts
from store.clock import rfc3339

if TYPE_CHECKING:
    from escalation.people import People

T = TypeVar("T")
app = typer.Typer(help="Accounts of responders and supervisors.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="the person's key in the roster")],
    role: Annotated[str, typer.Option(help="responder or supervisor")] = "responder",
    language: Annotated[str, typer.Option(help="language of the console: el or en")] = "el",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="read it from stdin")] = False,
) -> None:
    """Makes an account; without --password-stdin a first password is made and shown once."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(12)
    _with_people(lambda people: people.add(name, role, password, language))
    if not password_stdin:
        typer.echo(f"{name}: first password {password}")


@app.command(name="list")
def list_people(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """Lists the accounts."""
    accounts = _with_people(lambda people: people.list())
    rows = [
        {"name": one.name, "role": one.role.value, "disabled_at": rfc3339(one.disabled_at)}
        for one in accounts
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['name']:<16} {row['role']:<12} {'disabled' if row['disabled_at'] else 'active'}")


@app.command()
def disable(name: Annotated[str, typer.Argument(help="the account")]) -> None:
    """Closes an account; its sessions end at once."""
    if not _with_people(lambda people: people.disable(name)):
        raise Told(f"there is no active account {name}")


def _with_people(deed: Callable[[People], Awaitable[T]]) -> T:
    from escalation.people import People, PeopleError

    async def work(parts: Parts) -> T:
        people = People(parts.db, parts.clock)
        try:
            return await deed(people)
        finally:
            people.close()

    try:
        return offline.run(work)
    except PeopleError as error:
        raise Told(str(error)) from None
