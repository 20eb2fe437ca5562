"""limani nlu train | evaluate"""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="The embedded engine: training and scores.", no_args_is_help=True)


@app.command()
def train() -> None:
    """Trains the embedded engine from nlu/data."""
    from nlu.train import train_and_save

    typer.echo(str(train_and_save()))


@app.command()
def evaluate(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """Scores by intent, language, script and spelling, on phrase families kept out of the training."""
    import json

    from nlu import evaluate as scores

    guesses = scores.evaluate()
    typer.echo(json.dumps(scores.as_json(guesses), ensure_ascii=False) if as_json else scores.report(guesses))
