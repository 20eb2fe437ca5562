"""The whole engine: faces that others rely on, speed, bounds, and the held-out phrases."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu import corpus
from nlu.engine import EmbeddedReader
from nlu.reading import INTENTS, SCRIPTS, Risk
from nlu.understand import as_json
from nlu.variants import SPELLINGS, spell

HELDOUT = yaml.load((Path(__file__).parent / "heldout.yml").read_text(encoding="utf-8"), yaml.BaseLoader)
READER = EmbeddedReader.load()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_a_reading(text: str) -> None:
    reading = READER.read(text)
    assert reading.intent in INTENTS
    assert reading.script in SCRIPTS
    assert 0.0 <= reading.confidence <= 1.0
    assert reading.engine == "embedded"
    assert (reading.risk is Risk.none) == (reading.risk_kind is None)


def test_an_empty_text_is_other_and_calm(reader: EmbeddedReader) -> None:
    for text in ("", " ", "\n", "...", "👍"):
        reading = reader.read(text)
        assert (reading.intent, reading.risk) == ("other", Risk.none)


def test_the_json_has_exactly_the_agreed_keys(reader: EmbeddedReader) -> None:
    text = "  Καλημέρα \u0000 "
    keys = ["text", "language", "script", "intent", "confidence", "risk", "risk_kind", "why"]
    found = as_json(reader.read(text), text)
    assert list(found) == keys
    assert found["text"] == text


def test_why_never_repeats_the_citizen(reader: EmbeddedReader) -> None:
    reading = reader.read("Με χτυπάει ο Παντελής και δεν έχω φαγητό")
    assert reading.why
    assert not any(word in " ".join(reading.why).lower() for word in ("παντελ", "padel", "χτυπ", "φαγητ"))


def test_model_and_data_agree(reader: EmbeddedReader) -> None:
    assert reader.data_sha256 == corpus.digest(), "nlu/data has changed: run `limani nlu train`"


def test_a_reader_that_breaks_doubts_aloud(monkeypatch: pytest.MonkeyPatch, reader: EmbeddedReader) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("nlu.engine.prepare", broken)
    assert reader.read("θέλω να πεθάνω").risk is Risk.amber


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        ("Χρειάζομαι βοήθεια", "el", "greek"),
        ("xreiazomai voitheia", "el", "greeklish"),
        ("kalispera sas thelo na rotiso kati", "el", "greeklish"),
        ("8elw na kanw aithsh", "el", "greeklish"),
        ("I need help please", "en", "latin"),
        ("where is the office", "en", "latin"),
        ("Kam nevojë për ndihmë", "sq", "latin"),
        ("nuk kam para per qira", "sq", "latin"),
        ("Мені потрібна допомога", "uk", "cyrillic"),
        ("Мне нужна помощь", "ru", "cyrillic"),
        ("Имам нужда от помощ", "bg", "cyrillic"),
        ("أحتاج إلى مساعدة من فضلك", "ar", "arabic"),
        ("من به کمک نیاز دارم", "fa", "arabic"),
        ("مجھے مدد چاہیے", "ur", "arabic"),
        ("J'ai besoin d'aide", "fr", "latin"),
        ("Am nevoie de ajutor", "ro", "latin"),
        ("Yardıma ihtiyacım var", "tr", "latin"),
        ("Ich brauche bitte Hilfe", "de", "latin"),
        ("Ho bisogno di aiuto", "it", "latin"),
        ("Necesito ayuda por favor", "es", "latin"),
        ("Θέλω appointment για doctor please", "el", "mixed"),
        ("ΘEΛΩ BOHΘEIA", "el", "greek"),
    ],
)
def test_language_and_script(reader: EmbeddedReader, text: str, language: str, script: str) -> None:
    reading = reader.read(text)
    assert (reading.language, reading.script) == (language, script)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("άνθρωπο", "human"),
        ("anthropo", "human"),
        ("θέλω να μιλήσω με κάποιον", "human"),
        ("thelo na miliso me kapoion", "human"),
        ("talk to a human", "human"),
        ("ναι", "yes"),
        ("nai", "yes"),
        ("yes", "yes"),
        ("όχι", "no"),
        ("oxi", "no"),
        ("ohi", "no"),
        ("no", "no"),
        ("γεια σας", "greeting"),
        ("geia sas", "greeting"),
        ("kalimera", "greeting"),
        ("hello", "greeting"),
        ("ευχαριστώ", "thanks"),
        ("efxaristo", "thanks"),
        ("thank you", "thanks"),
        ("αντίο", "goodbye"),
        ("bye", "goodbye"),
        ("τι έγινε με την αίτησή μου", "ticket_status"),
        ("πεθαίνω της πείνας", "food_aid"),
        ("den exo pou na koimitho", "homelessness"),
        ("νιώθω πολύ μόνη", "psych_support"),
        ("έχω άγχος", "psych_support"),
        ("θέλω ψυχολόγο", "psych_support"),
        ("ληξιαρχική πράξη θανάτου", "documents"),
    ],
)
def test_what_flows_rely_on(reader: EmbeddedReader, text: str, intent: str) -> None:
    assert reader.read(text).intent == intent


def _heldout(language: str) -> Iterator[tuple[str, str]]:
    for intent, phrases in HELDOUT[language].items():
        for phrase in phrases:
            yield intent, phrase


@pytest.mark.parametrize(("spelling", "least"), [*((one, 0.82) for one in SPELLINGS)])
def test_heldout_greek(reader: EmbeddedReader, spelling: str, least: float) -> None:
    """A floor under the figures of docs/understanding.md; raise it when they rise."""
    right = [reader.read(spell(phrase, spelling)).intent == intent for intent, phrase in _heldout("el")]
    assert sum(right) >= least * len(right)


def test_heldout_english(reader: EmbeddedReader) -> None:
    right = [reader.read(phrase).intent == intent for intent, phrase in _heldout("en")]
    assert sum(right) >= 0.85 * len(right)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_heldout_danger(reader: EmbeddedReader, spelling: str) -> None:
    risks = {
        level: [reader.read(spell(phrase, spelling)).risk for phrase in phrases]
        for level, phrases in HELDOUT["risk"].items()
    }
    assert risks["red"].count(Risk.red) >= 0.94 * len(risks["red"])
    assert risks["amber"].count(Risk.none) == 0
    assert risks["none"].count(Risk.red) == 0
    assert risks["none"].count(Risk.amber) <= 1


def test_ordinary_requests_wake_nobody(reader: EmbeddedReader) -> None:
    """Over all training phrases that are about services and talk."""
    danger = {"violence", "child_protection", "medical_emergency"}
    calm = [example for example in corpus.read() if example.intent not in danger]
    risks = [reader.read(example.text).risk for example in calm]
    assert risks.count(Risk.red) <= 0.001 * len(risks)
    assert risks.count(Risk.amber) <= 0.01 * len(risks)


def test_reading_is_quick(reader: EmbeddedReader) -> None:
    """Loose bounds for a busy machine; the figures are in docs/understanding.md."""
    phrases = [phrase for _, phrase in _heldout("el")]
    times = []
    for phrase in phrases * 3:
        start = time.perf_counter()
        reader.read(phrase)
        times.append(time.perf_counter() - start)
    assert sorted(times)[len(times) // 2] < 0.002


@pytest.mark.parametrize("unit", ["α", "a ", "x", "8x", "θέλω να ", "δεν ", "! ", "χχα", "aaaa bbbb "])
def test_long_texts_take_bounded_time(reader: EmbeddedReader, unit: str) -> None:
    start = time.perf_counter()
    reader.read((unit * 80_000)[:80_000])
    assert time.perf_counter() - start < 5


def test_serving_needs_no_training_libraries() -> None:
    code = (
        "import sys, nlu.engine; nlu.engine.EmbeddedReader.load().read('Θέλω βοήθεια');"
        "print(sorted({'sklearn', 'scipy', 'wordfreq'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_model_is_small_and_runs_no_code() -> None:
    path = Path(corpus.__file__).parent / "model" / "embedded.npz"
    assert path.stat().st_size < 3_000_000
