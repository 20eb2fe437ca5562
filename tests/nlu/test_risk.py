"""Every reviewed pattern on its own examples, in every spelling, and what no pattern may do."""

from __future__ import annotations

import re

import pytest

from nlu.engine import EmbeddedReader
from nlu.notation import BadPattern, compile_pattern
from nlu.reading import Risk, RiskKind
from nlu.rules import Rule, Rules, load_rules
from nlu.variants import SPELLINGS, spell

RULES = load_rules()
ALL_SPELLINGS = (*SPELLINGS, "greeklish_english")


def _spellings(rule: Rule) -> tuple[str, ...]:
    return ALL_SPELLINGS if rule.language == "el" else ("accented",)


def _found(reader: EmbeddedReader, text: str) -> tuple[Risk, tuple[str, ...]]:
    reading = reader.read(text)
    return reading.risk, reading.why


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_examples_alarm_as_typed(reader: EmbeddedReader, rule: Rule) -> None:
    for text in rule.examples:
        risk, why = _found(reader, text)
        assert risk.level >= rule.level.level, text
        assert f"risk:{rule.id}" in why, text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_counter_examples_do_not_wake_anyone(reader: EmbeddedReader, rule: Rule) -> None:
    for text in rule.counter_examples:
        for spelling in set(_spellings(rule)) - {"misspelt"}:  # a slip may blur the very word that excuses
            typed = spell(text, spelling) if rule.language == "el" else text
            reading = reader.read(typed)
            assert reading.risk is not Risk.red, (typed, reading.why)
            assert f"risk:{rule.id}" not in reading.why, typed


@pytest.mark.parametrize("spelling", ALL_SPELLINGS)
def test_red_examples_alarm_in_every_spelling(reader: EmbeddedReader, spelling: str) -> None:
    """Slips of the finger may blur a rule, but the alarm must come: figures in docs/understanding.md."""
    texts = [(rule, text) for rule in RULES if rule.language == "el" for text in rule.examples]
    silent = [
        spell(text, spelling) for _, text in texts if reader.read(spell(text, spelling)).risk is Risk.none
    ]
    assert len(silent) <= (0.06 if spelling == "misspelt" else 0.01) * len(texts), silent


@pytest.mark.parametrize(
    ("text", "risk", "kind"),
    [
        ("den antexo allo exo xapia mprosta mou", Risk.red, RiskKind.suicide),
        ("θέλω να πεθάνω", Risk.red, RiskKind.suicide),
        ("thelo na pe8ano", Risk.red, RiskKind.suicide),
        ("8elw na autoktonisw", Risk.red, RiskKind.suicide),
        ("θελωναπεθανω", Risk.red, RiskKind.suicide),
        ("I want to kill myself", Risk.red, RiskKind.suicide),
        ("με χτυπάει ο άντρας μου τώρα", Risk.red, RiskKind.violence),
        ("Ο μπαμπάς με χτυπάει", Risk.red, RiskKind.child),
        ("Η κόρη μου λέει ότι θα αυτοκτονήσει", Risk.red, RiskKind.suicide),
        ("δεν θέλω να πεθάνω", Risk.amber, RiskKind.suicide),
        ("πριν χρόνια προσπάθησα να αυτοκτονήσω", Risk.amber, RiskKind.suicide),
        ("δεν αντέχω άλλο", Risk.amber, RiskKind.suicide),
        ("να μην ξυπνούσα", Risk.amber, RiskKind.suicide),
        ("Λιποθύμησε και δεν αναπνέει", Risk.red, RiskKind.medical),
        ("Θα σας σκοτώσω", Risk.red, RiskKind.threat),
        ("Χαρακώνομαι", Risk.red, RiskKind.self_harm),
    ],
)
def test_known_phrases(reader: EmbeddedReader, text: str, risk: Risk, kind: RiskKind) -> None:
    reading = reader.read(text)
    assert (reading.risk, reading.risk_kind) == (risk, kind)


@pytest.mark.parametrize(
    "text",
    [
        "πέθανα στα γέλια",
        "ληξιαρχική πράξη θανάτου",
        "επίδομα κηδείας",
        "κρέμασε ο υπολογιστής",
        "με σκοτώνει η ζέστη",
        "σκάω από τη ζέστη",
        "πεθαίνω της πείνας",
        "Νιώθω πολύ μόνη",
        "Έχω άγχος και θέλω ψυχολόγο",
        "that joke killed me",
    ],
)
def test_idioms_and_office_talk_are_calm(reader: EmbeddedReader, text: str) -> None:
    assert reader.read(text).risk is Risk.none


@pytest.mark.parametrize("fillers", [0, 40, 400, 6000])
def test_danger_inside_a_long_text_is_found(reader: EmbeddedReader, fillers: int) -> None:
    story = "και μετά πήγαμε στην αγορά με τη θεία μου "
    assert reader.read(story * (fillers // 8) + " θέλω να πεθάνω " + story * (fillers // 8)).risk is Risk.red


def test_means_beside_despair_is_red_and_alone_amber(reader: EmbeddedReader) -> None:
    assert reader.read("έχω χάπια μπροστά μου").risk is Risk.amber
    assert reader.read("έχω χάπια μπροστά μου δεν αντέχω άλλο").risk is Risk.red


def test_every_rule_is_complete() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    for rule in RULES:
        assert rule.examples, rule.id
        assert rule.counter_examples, rule.id
        assert rule.level is not Risk.none, rule.id
        assert rule.id.startswith(rule.language + "-"), rule.id


def test_every_language_covers_every_kind() -> None:
    for language in {rule.language for rule in RULES}:
        kinds = {rule.kind for rule in RULES if rule.language == language}
        assert kinds == set(RiskKind), language


@pytest.mark.parametrize("pattern", ["(a|b", "a)", "[a]", "...", "(a|[b])", "*"])
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        compile_pattern(pattern, str)


def test_the_notation() -> None:
    compiled = compile_pattern("(want|wish) [really] to ...2 die*", str)
    expression = re.compile(compiled.regex)
    assert expression.search(" i want to die ")
    assert expression.search(" i wish really to just once dies ")
    assert not expression.search(" i want to a b c die ")
    assert not expression.search(" i want to diet"[:12] + " ")


def test_patterns_run_alone_when_the_model_is_gone() -> None:
    alarm = Rules.load().look(["QELO", "NA", "PEQANO"], [])
    assert alarm is not None
    assert alarm.risk is Risk.red
