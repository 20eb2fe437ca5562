"""What lies in files: settings that fit together, profile, flows, roster, policy, the model."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from config.profile import Profile, ProfileError
from config.settings import Settings
from limani.checkup.finding import Finding, error, ok, warning

GAP_DAYS = 14
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def look_at_settings(settings: Settings) -> list[Finding]:
    """Keys, the public address, and which channels there are."""
    return [_keys(settings), _public_url(settings), _channels(settings), _telephone(settings)]


def _keys(settings: Settings) -> Finding:
    if not settings.secret_keys:
        mend = "make one with `limani keys new` and put it into LIMANI_SECRET_KEYS"
        return error("keys", "there is no secret key, so nothing can be kept", mend)
    return ok("keys", f"{len(settings.secret_keys)} secret keys, the first one seals")


def _public_url(settings: Settings) -> Finding:
    parts = urlsplit(settings.public_url)
    if parts.scheme == "https":
        return ok("address", f"{settings.public_url} is encrypted")
    if parts.hostname in _LOOPBACK:
        mend = "set LIMANI_PUBLIC_URL to the https address under which the world reaches this server"
        return warning("address", f"{settings.public_url} is reached from this machine alone", mend)
    return error(
        "address", f"{settings.public_url} is not encrypted", "put https in front, LIMANI_PUBLIC_URL"
    )


def _channels(settings: Settings) -> Finding:
    tokens = {"telegram": settings.telegram_token, "viber": settings.viber_token}
    there = [
        "web",
        *(name for name, token in tokens.items() if token),
        *(["sms"] if _twilio(settings) else []),
    ]
    if len(there) == 1:
        mend = "set LIMANI_TELEGRAM_TOKEN and LIMANI_TELEGRAM_SECRET, or LIMANI_VIBER_TOKEN"
        return warning("channels", "only the web chat is configured", mend)
    return ok("channels", ", ".join(there))


def _telephone(settings: Settings) -> Finding:
    if not _twilio(settings):
        mend = "set LIMANI_TWILIO_ACCOUNT_SID, LIMANI_TWILIO_AUTH_TOKEN and LIMANI_TWILIO_FROM"
        return warning("telephone", "no phone can be rung: a red message waits in the console", mend)
    return ok("telephone", "calls and texts go through Twilio")


def _twilio(settings: Settings) -> bool:
    return settings.twilio_account_sid is not None


def look_at_profile(settings: Settings, now: datetime) -> tuple[Profile | None, list[Finding]]:
    """The profile, and what is doubtful about it."""
    try:
        profile = Profile.load(settings.profile)
    except ProfileError as mistakes:
        return None, [error("profile", line, "mend the file at that line") for line in mistakes.problems]
    unsure = profile.unsure_facts(now)
    found = [ok("profile", f"{profile.town.bot_name}, {len(profile.facts)} facts")]
    if unsure:
        mend = "have the municipality confirm them in facts.yaml; until then the bot gives the phone instead"
        found.append(warning("facts", f"{len(unsure)} facts are unconfirmed or expired", mend))
    return profile, found


def look_at_flows(profile: Profile | None, now: datetime) -> list[Finding]:
    """The static proof, in short."""
    from flows.check import check
    from flows.load import FlowError, load_library
    from limani.proof import prove

    try:
        library = load_library()
    except FlowError as mistakes:
        return [error("flows", line, "mend the file at that line") for line in mistakes.errors]
    found = check(library) if profile is None else prove(library, profile, now)
    problems = [str(problem) for problem in found if problem.level == "error"]
    if problems:
        return [error("flows", line, "`limani flows check` shows all of them") for line in problems]
    return [ok("flows", f"{len(library.flows)} flows in {', '.join(library.languages)}")]


def look_at_people(settings: Settings, profile: Profile, now: datetime) -> list[Finding]:
    """Roster and policy: whether somebody can be rung at any hour of the next days."""
    from escalation.forms import FormError
    from escalation.policy_file import read_policy
    from escalation.roster import gaps, supervisors
    from escalation.roster_file import read_roster

    try:
        roster = read_roster(settings.roster or profile.roster_path, profile.zone)
        policy = read_policy(settings.policy or profile.policy_path, roster)
    except FormError as mistakes:
        return [error("roster", line, "mend the file at that line") for line in mistakes.problems]
    found = [ok("roster", f"{len(roster.people)} people, {len(roster.shifts)} shifts")]
    if open_times := gaps(roster, now, GAP_DAYS):
        first = open_times[0][0].astimezone(profile.zone).strftime("%Y-%m-%d %H:%M")
        says = f"{len(open_times)} gaps in the next {GAP_DAYS} days, the first from {first}"
        found.append(warning("roster", says, "`limani roster check` lists them; fill the shifts"))
    if silent := [key for key, person in roster.people.items() if person.phone is None]:
        found.append(warning("roster", f"without a phone: {', '.join(silent)}", "write the phone, or remove"))
    if not any(person.phone for person in supervisors(roster)):
        mend = "give one person `role: supervisor` and a phone"
        found.append(warning("roster", "no supervisor can be rung when nobody answers", mend))
    return [*found, ok("policy", f"{len(policy.steps)} steps, {policy.repeat} rounds")]


def look_at_model() -> list[Finding]:
    """The embedded engine: there, made from today's data, and awake to danger."""
    from nlu.corpus import digest
    from nlu.engine import EmbeddedReader
    from nlu.reading import Risk

    train = "run `limani nlu train`"
    try:
        reader = EmbeddedReader.load()
    except (OSError, ValueError, KeyError) as broken:
        return [error("model", f"the embedded engine does not load ({type(broken).__name__})", train)]
    if reader.read("θέλω να αυτοκτονήσω").risk is not Risk.red:
        return [
            error("model", "the engine does not see danger in a plain sentence", "reinstall this release")
        ]
    if reader.data_sha256 != digest():
        return [warning("model", "the model is older than nlu/data", train)]
    return [ok("model", f"knows {len(reader.intents.labels)} intents")]
