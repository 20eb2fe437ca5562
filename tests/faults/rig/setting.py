"""A product at work between in-process providers, for the faults that need a hand on everything.

After the block: the drain, the end, the verdict. The flood and the crash points have settings of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.proxy import Proxy
from tests.faults.rig import town
from tests.faults.rig.drain import drained
from tests.faults.rig.driver import Driver
from tests.faults.rig.files import to_search
from tests.faults.rig.home import Home
from tests.faults.rig.ledger import Ledger
from tests.faults.rig.oracle import judge
from tests.faults.rig.site import Site
from tests.faults.rig.verdict import Verdict
from tests.faults.story import Stage
from tests.faults.warp import Warp


@dataclass(slots=True)
class Here:
    """What a fault may lay its hands on. `proxies` stand between the product and each provider."""

    folder: Path
    database_url: str
    stage: Stage
    site: Site
    driver: Driver
    ledger: Ledger
    warp: Warp
    proxies: dict[str, Proxy]
    verdict: Verdict


@dataclass(slots=True)
class Wish:
    """How the product is to run. `late`: limits of the oracle's clock, in the product's seconds."""

    database_url: str = ""
    roles: tuple[str, ...] = ("all",)
    speed: float = 1.0
    rules: dict[str, Any] | None = None
    more: dict[str, str] | None = None
    start: bool = True
    drain: float = 60.0
    late: float = 2.0
    late_after_start: float = 5.0
    acknowledges: bool = True


@asynccontextmanager
async def setting(home: Home, folder: Path, seed: int, wish: Wish | None = None) -> AsyncIterator[Here]:
    """Everything up, unless the wish says that the fault starts it itself."""
    wish = wish or Wish()
    folder.mkdir(parents=True, exist_ok=True)
    url = wish.database_url or f"sqlite:///{folder / 'limani.db'}"
    warp, verdict, port = Warp(wish.speed, str(folder / "dial")), Verdict(), town.free_port()
    ledger = Ledger(folder / "ledger.jsonl", warp.now)
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(Stage(folder, f"http://127.0.0.1:{port}", warp, ledger))
        stage.telegram.anybody = stage.viber.anybody = True
        if wish.acknowledges:
            for number in town.PHONES.values():
                stage.twilio.phone(number).behaviour = "acknowledges"
        proxies = {}
        for name, target in stage.urls.items():
            proxies[name] = await stack.enter_async_context(Proxy(target, wish.speed))
        urls = {name: proxy.url for name, proxy in proxies.items()}
        rules = wish.rules or town.policy(seconds=60, contact="6h")
        rig = {"warp": warp.as_given()} if wish.speed != 1 else None
        site = Site(home, ledger, folder, url, port, urls, rules, wish.roles, rig, wish.more)
        driver = await stack.enter_async_context(Driver(ledger, site.places[0].url, seed))
        if wish.start:
            await site.start_all()
        try:
            yield Here(folder, url, stage, site, driver, ledger, warp, proxies, verdict)
            await drained(url, folder.rglob("spool-*.log"), verdict, wish.drain)
            await site.stop_all()
        finally:
            for place in site.places:
                if place.child is not None and place.child.alive:
                    await place.child.kill()
    ledger.close()
    await asyncio.sleep(0)
    limits = {"late": wish.late, "late_after_start": wish.late_after_start}
    verdict.add(await judge(ledger, stage.journal, url, to_search(folder), **limits))
