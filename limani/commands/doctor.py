"""limani doctor: looks at everything that can be looked at, changes nothing, and says how to mend it."""

from __future__ import annotations

import asyncio
import json

import typer

from config.settings import Settings
from limani.checkup.finding import Finding, Level
from limani.checkup.inside import (
    look_at_flows,
    look_at_model,
    look_at_people,
    look_at_profile,
    look_at_settings,
)
from limani.checkup.outside import look_at_database, look_at_providers
from limani.commands import offline
from store.clock import SystemClock


def run_doctor(as_json: bool) -> None:
    """Prints one finding after the other; exit code 1 if one of them is an error."""
    findings = asyncio.run(examine(offline.given_settings()))
    if as_json:
        typer.echo(json.dumps([finding.as_dict() for finding in findings], ensure_ascii=False))
    else:
        typer.echo("\n".join(str(finding) for finding in findings))
    if any(finding.level is Level.error for finding in findings):
        raise SystemExit(1)


async def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which a person would mend them."""
    now = SystemClock().now()
    profile, found = look_at_profile(settings, now)
    return [
        *look_at_settings(settings),
        *await look_at_database(settings, now),
        *found,
        *(look_at_people(settings, profile, now) if profile else []),
        *look_at_flows(profile, now),
        *look_at_model(),
        *await look_at_providers(settings),
    ]
