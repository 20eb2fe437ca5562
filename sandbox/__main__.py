"""`python -m sandbox`: the three stand-ins as a process of their own, with a control door and a journal.

For fault rigs that kill the product: the phones and what they saw live on here. Prints its addresses as one
line of JSON and serves until it is told to end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from sandbox.control import Control
from sandbox.journal import Journal
from sandbox.record import Record
from sandbox.server import Server
from sandbox.telegram import TelegramStandIn
from sandbox.twilio import TwilioStandIn
from sandbox.viber import ViberStandIn


def arguments() -> argparse.ArgumentParser:
    """The command line; port 0 takes a free one."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    for name in ("telegram", "viber", "twilio", "control"):
        parser.add_argument(f"--{name}-port", type=int, default=0)
    parser.add_argument("--telegram-token", default="123456:synthetic")
    parser.add_argument("--telegram-secret", default="")
    parser.add_argument("--telegram-webhook", default="")
    parser.add_argument("--viber-token", default="synthetic-viber-token")
    parser.add_argument("--viber-webhook", default="")
    parser.add_argument("--twilio-account-sid", default="AC" + "0" * 32)
    parser.add_argument("--twilio-auth-token", default="synthetic-twilio-token")
    parser.add_argument("--seconds", type=float, help="length of one of Twilio's seconds; absent: by hand")
    parser.add_argument("--anybody", action="store_true", help="whoever is written to has a phone")
    parser.add_argument("--flood", action="store_true", help="remember nothing, force nothing to the disk")
    parser.add_argument("--journal", type=Path, help="file of JSON lines for all that happened")
    return parser


async def serve(given: argparse.Namespace) -> None:
    """Run until SIGINT or SIGTERM."""
    journal = Journal(given.journal, sync=not given.flood) if given.journal else None
    record = Record(journal=journal, forgetful=given.flood)
    telegram = TelegramStandIn(
        given.telegram_token,
        given.telegram_secret,
        given.telegram_webhook,
        port=given.telegram_port,
        record=record,
    )
    viber = ViberStandIn(given.viber_token, given.viber_webhook, port=given.viber_port, record=record)
    twilio = TwilioStandIn(
        given.twilio_account_sid,
        given.twilio_auth_token,
        port=given.twilio_port,
        record=record,
        seconds=given.seconds,
    )
    telegram.anybody = viber.anybody = given.anybody
    stand_ins = {"telegram": telegram, "viber": viber, "twilio": twilio}
    async with AsyncExitStack() as stack:
        for stand_in in stand_ins.values():
            await stack.enter_async_context(stand_in)
        control = await stack.enter_async_context(Server(Control(stand_ins).app, given.control_port))
        urls = {name: stand_in.url for name, stand_in in stand_ins.items()} | {"control": control.url}
        print(json.dumps(urls), flush=True)
        await _told_to_end()
    if journal is not None:
        journal.close()


async def _told_to_end() -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(arguments().parse_args()))
