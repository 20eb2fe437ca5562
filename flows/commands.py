"""What works from every node: a person, back, start again, stop, go on, another language."""

from __future__ import annotations

from flows import cases, danger, run, words
from flows.events import Button, LanguageChanged
from flows.machine import Machine


def obey(m: Machine, command: str) -> bool:
    """Does what a word or a button with @ says. False where it means nothing here."""
    if command.startswith("lang:"):
        return switch_language(m, command.removeprefix("lang:"))
    action = {
        "human": human, "back": _back, "menu": menu, "stop": stop, "resume": _resume, "language": _languages,
    }.get(command)  # fmt: skip
    if action is None or (command == "resume" and not m.session.parked):
        return False
    action(m)
    return True


def human(m: Machine) -> None:
    """A person is wanted and nothing burns. The form waits, and the citizen can go on with it."""
    if m.red_active:
        danger.search_again(m)
        danger.hold(m)
        return
    ref = cases.request_human(m)
    if m.session.flow in cases.NO_REQUEST:
        m.leave("human")
    else:
        m.park()
    buttons = (m.button("resume"),) if m.session.parked else (m.button("menu"),)
    m.put(proposed=None)
    m.common("human_queue_on" if m.context.office_open else "human_queue_off", buttons, ref=ref)


def _back(m: Machine) -> None:
    if m.session.proposed is not None and m.session.flow is not None:
        m.put(proposed=None)
        m.pose()
    elif m.session.flow is None:
        menu(m)
    else:
        run.back(m)


def menu(m: Machine) -> None:
    """Start again: what was under way is given up, an open case is not."""
    m.put(proposed=None)
    m.leave("abandoned")
    run.start(m, "welcome")


def stop(m: Machine) -> None:
    """No more questions. The search for a human in a red case goes on, and the citizen is told so."""
    m.put(proposed=None)
    m.leave("stopped")
    if m.red_active:
        m.crisis("stopped")
    else:
        m.common("stopped", (m.button("menu"),))


def _resume(m: Machine) -> None:
    if m.session.flow is None:
        run.resume(m)
    else:
        m.pose()


def _languages(m: Machine) -> None:
    tongues = m.library.languages
    buttons = tuple(
        Button(f"@lang:{tongue}", words.LANGUAGES[tongue][0])
        for tongue in tongues
        if tongue in words.LANGUAGES
    )
    m.common("choose_language", buttons)


def switch_language(m: Machine, language: str) -> bool:
    """Changes the language for good and repeats the open question in it."""
    if language not in words.LANGUAGES:
        return False
    if language != m.session.language:
        m.events.append(LanguageChanged(language))
    m.put(language=language, language_chosen=True)
    m.common("language_switched")
    if m.session.flow is not None:
        m.pose()
    elif not m.session.greeted:
        run.start(m, "welcome")
    return True


def follow_language(m: Machine) -> None:
    """A reading's language is believed at the first words, later only for a real sentence, and never
    against the citizen's own choice: one "ok" must not turn a Greek talk into an English one."""
    reading = m.stimulus.understood
    if reading is None or m.session.language_chosen:
        return
    language = "el" if reading.script in {"greek", "greeklish"} else reading.language
    count = sum(any(c.isalpha() for c in word) for word in m.stimulus.text.split())
    first = m.before.steps == 0 or (not m.before.greeted and m.before.flow is None)
    enough = 1 if first else 2 if reading.risk == "red" else 3
    if language == m.session.language or language not in words.LANGUAGES or count < enough:
        return
    if not first and _answering(m):
        return
    m.put(language=language)
    m.events.append(LanguageChanged(language))


def _answering(m: Machine) -> bool:
    """A name or an address in Latin letters says nothing about the language."""
    return getattr(m.node, "type", "text") != "text"
