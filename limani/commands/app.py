"""Every command of the command line.

Imports stay inside the commands: `limani understand` must not wait for a web server to be imported.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from limani.commands import flows_group, keys_group, nlu_group, people_group, roster_group, tickets_group

app = typer.Typer(
    name="limani",
    help="The front door of a municipality's social services, and the router of its helpline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(nlu_group.app, name="nlu")
app.add_typer(flows_group.app, name="flows")
app.add_typer(roster_group.app, name="roster")
app.add_typer(tickets_group.app, name="tickets")
app.add_typer(people_group.app, name="people")
app.add_typer(keys_group.app, name="keys")


@app.command()
def demo(
    port: Annotated[int, typer.Option(envvar="LIMANI_PORT", help="port of the demo page")] = 8080,
) -> None:
    """Serves the whole product with simulated phones, and prints one URL."""
    gc.disable()  # see limani.cli
    from limani.demo import run_demo

    run_demo(port)


@app.command()
def serve(
    role: Annotated[str, typer.Option(help="all, or some of web,worker,pager")] = "all",
) -> None:
    """Runs the product: settings come from the environment."""
    gc.disable()  # see limani.cli
    from limani.serve import run_serve

    run_serve(role)


@app.command()
def chat(
    lang: Annotated[str, typer.Option(help="language of the first greeting: el or en")] = "el",
    save: Annotated[str | None, typer.Option(help="write the conversation as a transcript")] = None,
) -> None:
    """Talks with the bot in the terminal; takes the transcript language too (+60s, phone NAME: KEY)."""
    from limani.transcript.chat import run_chat

    run_chat(lang, save)


@app.command()
def understand(
    engine: Annotated[str, typer.Option(help="embedded, rasa or both")] = "embedded",
) -> None:
    """Reads one text a line, writes one JSON object a line."""
    from limani.commands.understand import run_understand

    run_understand(engine)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """Checks everything that can be checked, and says how to mend what is wrong."""
    from limani.commands.doctor import run_doctor

    run_doctor(as_json)


@app.command()
def migrate() -> None:
    """Brings the database to the newest schema."""
    from limani.commands.upkeep import run_migrate

    run_migrate()


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="a new file, or a folder that gets one")],
) -> None:
    """Copies the database beside a running server; the copy is checked and as sealed as the original."""
    from limani.commands.backup import run_backup

    run_backup(target)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="what `limani backup` wrote")],
) -> None:
    """Puts a backup into an empty database, and says what is not in it."""
    from limani.commands.backup import run_restore

    run_restore(source)


@app.command()
def erase(
    ref: Annotated[str, typer.Argument(help="reference of one ticket of the citizen")],
    yes: Annotated[bool, typer.Option("--yes", help="do not ask again")] = False,
) -> None:
    """Erases a citizen's words and addresses; references, times and outcomes stay for the statistics."""
    from limani.commands.upkeep import run_erase

    run_erase(ref, yes)


@app.command()
def retention(
    days: Annotated[int, typer.Option(min=1, help="erase what has been closed for longer")] = 90,
) -> None:
    """Erases the words of everything that has been closed for longer than `days`."""
    from limani.commands.upkeep import run_retention

    run_retention(days)


@app.command()
def drill(
    wait: Annotated[int, typer.Option(min=10, help="seconds until the drill counts as unanswered")] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """A synthetic citizen writes; the phone of whoever is on call rings; the times are shown."""
    from limani.commands.drill import run_drill

    run_drill(wait, as_json)


def run() -> None:
    """The command that the command line names. Raises Told; SystemExit for wrong words."""
    try:
        app(standalone_mode=False)
    except typer.TyperException as error:
        sentence = getattr(error, "format_message", None)
        print(sentence() if sentence else str(error), file=sys.stderr)
        raise SystemExit(2) from None
    except typer.Abort:
        raise SystemExit(130) from None
