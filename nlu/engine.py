"""The embedded engine: one text in, one `Reading` out, in process, with numpy alone.

Patterns for danger run on every text beside the learnt model; the more serious of the two wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nlu.features import of_word
from nlu.lexicon import Lexicon
from nlu.linear import Floats, Found, LinearModel, split
from nlu.prepare import Prepared, prepare
from nlu.reading import NOT_READ, Reading, Risk, RiskKind
from nlu.rules import Alarm, Rules

MODEL = Path(__file__).parent / "model" / "embedded.npz"
OTHER_BELOW = 0.25
"""An intent that is less likely than this is not claimed."""

SURE = 0.6
"""Below this an amber alarm names the topic."""

_INTENT_OF_KIND = {
    RiskKind.suicide: "psych_support",
    RiskKind.self_harm: "psych_support",
    RiskKind.violence: "violence",
    RiskKind.child: "child_protection",
    RiskKind.threat: "violence",
    RiskKind.medical: "medical_emergency",
}


_PARTS = {"lexicon_weights", "lexicon_keys", "lexicon_domain", "lexicon_danger", "data_sha256"}


@dataclass(frozen=True, slots=True)
class EmbeddedReader:
    """Reads texts. Immutable, so that threads may share it."""

    lexicon: Lexicon
    languages: LinearModel
    intents: LinearModel
    rules: Rules
    data_sha256: str

    @classmethod
    def load(cls, path: Path | None = None) -> EmbeddedReader:
        """The engine with the model file beside the module, or another one. Raises ValueError for a file
        that this version cannot use."""
        with np.load(path or MODEL, allow_pickle=False) as stored:
            parts = dict(stored)
        if missing := _PARTS - parts.keys():
            raise ValueError(f"the model lacks {sorted(missing)[0]}: `limani nlu train` makes a fresh one")
        weights = (parts["lexicon_weights"] / 10).tolist()
        known = dict(zip(split(parts["lexicon_keys"]), weights, strict=True))
        rules = Rules.load()
        return cls(
            Lexicon(
                known,
                frozenset(split(parts["lexicon_domain"])),
                frozenset(split(parts["lexicon_danger"])) | rules.greek_words,
            ),
            LinearModel.load("language", parts),
            LinearModel.load("intent", parts),
            rules,
            parts["data_sha256"].tobytes().hex(),
        )

    def read(self, text: str) -> Reading:
        """The reading of one text. Never raises: doubt about understanding is amber."""
        try:
            return self._read(text)
        except Exception:
            return NOT_READ

    def _read(self, text: str) -> Reading:
        ready = prepare(text, self.lexicon, self.languages, self.rules.greek_words)
        intent, confidence, why = self._intent(ready)
        alarm = self.rules.look(ready.keys, ready.plain, ready.alarming) or _learnt(
            intent, confidence, len(ready.keys)
        )
        if alarm is None:
            return Reading(ready.language, ready.script, intent, confidence, Risk.none, None, why)
        intent, confidence = _with_alarm(alarm, intent, confidence)
        reasons = (*alarm.why, *why)
        return Reading(ready.language, ready.script, intent, confidence, alarm.risk, alarm.kind, reasons)

    def _intent(self, ready: Prepared) -> tuple[str, float, tuple[str, ...]]:
        """The likeliest intent over all views, its probability and the features that decided."""
        best: tuple[float, Floats, Found] | None = None
        for view in ready.views:
            shares, found = self.intents.scores_of(view, of_word, pairs=True)
            if len(found) and (best is None or float(shares.max()) > best[0]):
                best = (float(shares.max()), shares, found)
        if best is None:
            return "other", 1.0, ("no_known_words",)
        share, shares, found = best
        label = int(shares.argmax())
        if self.intents.labels[label] not in SHORT_ONES and all(len(key) < 3 for key in ready.keys):
            return "other", 1.0, ("too_short",)
        if share < OTHER_BELOW:
            return "other", 1.0 - share, ("unsure",)
        reasons = (f"feature:{at}" for at in self.intents.reasons(found, label))
        return self.intents.labels[label], share, (f"model:{self.intents.labels[label]}", *reasons)


SHORT_ONES = frozenset({"yes", "no", "greeting", "thanks", "goodbye"})
"""What one or two letters may mean. A slip of the thumb opens no form and calls no human."""
_KIND_OF_INTENT = {
    "violence": RiskKind.violence,
    "child_protection": RiskKind.child,
    "medical_emergency": RiskKind.medical,
}
LEARNT_FROM = 0.7
LEARNT_WORDS = 3
"""From this confidence, and in texts of so many words, the learnt model alone raises amber. It never lowers
and never pages. Short answers in a form (a street, an hour) are often words that it has never seen."""


def _learnt(intent: str, confidence: float, words: int) -> Alarm | None:
    """The second opinion: a topic that is about danger is asked about, though no pattern matched."""
    kind = _KIND_OF_INTENT.get(intent)
    if kind is None or confidence < LEARNT_FROM or words < LEARNT_WORDS:
        return None
    return Alarm(Risk.amber, kind, (f"risk:learnt-{intent}",))


def _with_alarm(alarm: Alarm, intent: str, confidence: float) -> tuple[str, float]:
    """Danger names the topic: a red text is never filed under the errand it came with."""
    if alarm.risk is Risk.red:
        return _INTENT_OF_KIND[alarm.kind], 1.0
    if intent == "other" or confidence < SURE:
        return _INTENT_OF_KIND[alarm.kind], 0.5
    return intent, confidence
