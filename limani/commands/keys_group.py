"""limani keys new | rotate"""

from __future__ import annotations

import typer

from limani.commands import offline
from limani.parts import Parts

app = typer.Typer(help="Secret keys.", no_args_is_help=True)


@app.command()
def new() -> None:
    """Prints a fresh key for LIMANI_SECRET_KEYS. Put it first, keep the old ones behind it, rotate."""
    from store.vault import new_key

    typer.echo(new_key())


@app.command()
def rotate() -> None:
    """Seals everything again with the newest key. Old keys may be taken away afterwards."""
    from store.rotate import rotate as seal_again

    async def work(parts: Parts) -> int:
        return await seal_again(parts.db, parts.vault)

    typer.echo(f"{offline.run(work)} values sealed again")
