"""Which limit comes first: each one's share of what is there at the worst moment of the default day."""

from __future__ import annotations

from typing import Any

from bench.day.numbers import Numbers


def limits(numbers: Numbers, result: dict[str, Any]) -> list[dict[str, Any]]:
    """All limits with how far the day goes beyond them (`used` > 1: it bites), the worst first."""
    nation, people = result["country"], result["country"]["people"]
    had = float(numbers["on_duty_per_100000"])
    core, at_once = nation["core"][0], people["at_once_in_busiest_hour_per_100000"]
    burst = people["red_in_a_cut_per_100000"]
    bots, line = nation["telegram"], nation["twilio"][0]
    found = [
        _limit(
            "people who read tickets",
            people["people_for_tickets_per_100000"] / had,
            f"{people['people_for_tickets_per_100000']:.0f} for 100,000 inhabitants, {had:.0f} are on duty",
        ),
        _limit(
            "people for the red cases, on a day without a power cut",
            at_once / had,
            f"{at_once:.1f} at once for 100,000 inhabitants, {had:.0f} on duty",
        ),
        _limit(
            "people for the red cases, where the power is cut",
            burst / had,
            f"{burst:.0f} within ten minutes for 100,000 inhabitants, {had:.0f} on duty",
        ),
        *(
            _limit(
                f"Telegram, {row['what']}",
                row["busiest_minute"] / row["rate"],
                f"{row['busiest_minute']:.1f} of {row['rate']:.0f} messages/s",
            )
            for row in bots
        ),
        _limit(
            "telephone, one account for the country",
            line["busiest_minute"] / line["cps"],
            f"{line['busiest_minute']:.2f} of {line['cps']:.0f} calls/s",
        ),
        _limit(
            "looking at 332 idle databases, one core",
            result["idle"]["each"]["all_cores"],
            f"{result['idle']['each']['all_cores']:.1f} cores before anybody writes",
        ),
        _limit(
            "processor, one core for the country's messages",
            core["busiest_minute"],
            f"{core['busiest_minute']:.0%} in the busiest minute",
        ),
    ]
    return sorted(found, key=lambda limit: -limit["used"])


def _limit(what: str, used: float, why: str) -> dict[str, Any]:
    return {"what": what, "used": used, "why": f"{used:.2f} of what is there ({why})"}


def per_town(idle: dict[str, Any], towns: int) -> dict[str, float]:
    """What one more municipality costs in a process, and all of them."""
    low, high = idle["stages"][0], idle["stages"][-1]
    more = high["towns"] - low["towns"]
    mb = (high["resident_mb"] - low["resident_mb"]) / more
    share = (high["cpu_share"] - low["cpu_share"]) / more
    return {
        "mb": mb,
        "cpu_share": share,
        "all_mb": low["resident_mb"] + mb * (towns - 1),
        "all_cores": low["cpu_share"] + share * (towns - 1),
    }
