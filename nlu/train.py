"""Trains the embedded engine from nlu/data and writes nlu/model/embedded.npz.

The only place (with nlu/evaluate.py) that needs scikit-learn and wordfreq; the same data give the
same model.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from nlu import corpus
from nlu.corpus import Example
from nlu.engine import MODEL
from nlu.features import features, language_features
from nlu.language import LANGUAGES
from nlu.lexicon import Lexicon
from nlu.linear import LinearModel, join, softmax
from nlu.normalise import fold, habit_of, is_greek, plain, tidy, words
from nlu.prepare import loose
from nlu.reading import INTENTS
from nlu.rules import stems as risk_stems
from nlu.rules import vocabulary as risk_vocabulary
from nlu.variants import GREEKLISH, greeklish, spell

SEED = 7
WORDS = Path(__file__).parent / "words"
FOLDS = 5

# ------------------------------------------------------------------ the lexicon


def train_lexicon(examples: Iterable[Example]) -> Lexicon:
    """Greek words by key: a public frequency list, and the words of our own phrases and patterns."""
    from wordfreq import get_frequency_dict

    weight: dict[str, float] = {}
    for word, share in get_frequency_dict("el", wordlist="small").items():
        if is_greek(word) and (key := fold(word)).isalpha() and key.isascii():
            weight[key] = weight.get(key, 0.0) + share
    known = {key: round(math.log10(share) + 9, 1) for key, share in weight.items()}
    own = Counter(key for one in examples if one.language == "el" for key in fold(one.text).split())
    domain = {key for key in own if key.isalpha() and key.isascii()} | risk_vocabulary()
    for key in domain:
        known[key] = max(known.get(key, 0.0), 3.0 + 0.3 * min(own[key], 4))
    stems = tuple(stem for stem in risk_stems() if len(stem) >= 5)
    return Lexicon(known, frozenset(domain), frozenset(key for key in known if key.startswith(stems)))


# ------------------------------------------------------------------ linear models


def fit(
    rows: Sequence[list[str]],
    labels: Sequence[str],
    order: Sequence[str],
    least: int,
    learner: LogisticRegression | LinearSVC,
) -> LinearModel:
    """A linear classifier on tf-idf of the rows' features; features rarer than `least` are left out."""
    counted = [Counter(row) for row in rows]
    spread = Counter(feature for row in counted for feature in row)
    kept = sorted(feature for feature, times in spread.items() if times >= least)
    index = {feature: at for at, feature in enumerate(kept)}
    idf = np.array([1 + math.log((1 + len(rows)) / (1 + spread[feature])) for feature in kept], np.float32)
    matrix = _matrix(counted, index, idf)
    target = np.array([order.index(label) for label in labels])
    learner.fit(matrix, target)
    weights = np.zeros((len(kept), len(order)), np.float32)
    weights[:, learner.classes_] = learner.coef_.T
    bias = np.full(len(order), -20.0, np.float32)
    bias[learner.classes_] = learner.intercept_
    return LinearModel(tuple(order), index, idf, weights, bias, 1.0)


def _matrix(
    counted: Sequence[Counter[str]], index: dict[str, int], idf: NDArray[np.float32]
) -> sparse.csr_matrix:
    """The rows as LinearModel.scores weighs them."""
    at: list[int] = []
    values: list[float] = []
    edges = [0]
    for row in counted:
        known = {index[feature]: times for feature, times in row.items() if feature in index}
        weighed = {i: (1 + math.log(times)) * float(idf[i]) for i, times in known.items()}
        length = math.sqrt(sum(value * value for value in weighed.values())) or 1.0
        at.extend(weighed)
        values.extend(value / length for value in weighed.values())
        edges.append(len(at))
    return sparse.csr_matrix((values, at, edges), shape=(len(counted), len(index)))


# ------------------------------------------------------------------ intents


@dataclass(frozen=True, slots=True)
class Row:
    """One spelling of one phrase, ready for the model."""

    words: list[str]
    intent: str
    family: str
    typed: bool


CARRIERS = {
    "el": (
        "θέλω {}",
        "χρειάζομαι {}",
        "θα ήθελα πληροφορίες για {}",
        "έχω πρόβλημα με {}",
        "τι γίνεται με {}",
        "πώς μπορώ να βρω {}",
        "καλησπέρα σας, θέλω να ρωτήσω για {}",
        "μπορείτε να με βοηθήσετε με {}",
        "πού θα βρω {}",
        "υπάρχει {}",
        "πείτε μου για {}",
        "δεν έχω {}",
    ),
    "en": (
        "I want {}",
        "I need {}",
        "I have a question about {}",
        "can you help me with {}",
        "information about {}",
        "where can I find {}",
        "how do I get {}",
        "problem with {}",
        "tell me about {}",
        "is there {}",
        "what about {}",
    ),
}
"""Neutral beginnings: they teach the model that asking words do not name the need."""
_BARE = frozenset({"human", "greeting", "thanks", "goodbye", "yes", "no"})
_SHORT = 3


def rows_of(example: Example, lexicon: Lexicon) -> list[Row]:
    """The phrase as typed, behind two neutral beginnings when it is short, and misspelt when Greek."""
    texts = [example.text, *_carried(example)]
    if example.language == "el":
        habits = sorted(GREEKLISH)
        habit = habits[int(example.family, 16) % len(habits)]
        texts += [spell(example.text, "misspelt"), spell(example.text, habit)]
    view = keys_of if example.language == "el" else _plain_words
    return [
        Row(view(text, lexicon), example.intent, example.family, at == 0) for at, text in enumerate(texts)
    ]


def _carried(example: Example) -> list[str]:
    carriers = CARRIERS.get(example.language, ())
    if not carriers or example.intent in _BARE or len(example.text.split()) > _SHORT:
        return []
    first = int(example.family[:6], 16)
    return [carriers[(first + step) % len(carriers)].format(example.text) for step in (0, 5)]


def _plain_words(text: str, _lexicon: Lexicon) -> list[str]:
    return [plain(word) for word in words(tidy(text))]


def keys_of(text: str, lexicon: Lexicon) -> list[str]:
    """The keys of a Greek or Greeklish text."""
    tidied = tidy(text)
    return lexicon.repair(loose(words(tidied)), habit_of(tidied))


def train_intents(rows: Sequence[Row]) -> LinearModel:
    """The intent model, its temperature set on phrases that it had not seen."""
    model = fit_intents(rows)
    return LinearModel(
        model.labels, model.vocabulary, model.idf, model.weights, model.bias, _temperature(held_out(rows))
    )


def fit_intents(rows: Sequence[Row]) -> LinearModel:
    """One model on all given rows, its temperature not yet set."""
    learner = LinearSVC(C=0.5, class_weight="balanced", random_state=SEED, max_iter=2000)
    labels = [row.intent for row in rows]
    return fit([list(features(row.words)) for row in rows], labels, INTENTS, 2, learner)


def part_of(family: str) -> int:
    """The fold that a family belongs to; stable when phrases are added."""
    return int(family[:8], 16) % FOLDS


def held_out(rows: Sequence[Row]) -> list[tuple[NDArray[np.float32], int]]:
    """For every typed phrase its log scores by a model that never saw its family, and the truth."""
    found: list[tuple[NDArray[np.float32], int]] = []
    for part in range(FOLDS):
        model = fit_intents([row for row in rows if part_of(row.family) != part])
        for row in rows:
            if part_of(row.family) == part and row.typed:
                scores, _ = model.scores(features(row.words))
                found.append((np.log(np.maximum(scores, 1e-12)), INTENTS.index(row.intent)))
    return found


def _temperature(scored: Sequence[tuple[NDArray[np.float32], int]]) -> float:
    """The temperature under which the held-out truths are likeliest."""
    options = [0.5 + 0.1 * step for step in range(120)]

    def loss(temperature: float) -> float:
        return -sum(math.log(max(float(softmax(temperature * s)[truth]), 1e-9)) for s, truth in scored)

    return min(options, key=loss)


# ------------------------------------------------------------------ languages

_SNIPPETS = 2500
_TOP = 6000
_SINGLES = 1500


def train_languages(examples: Iterable[Example]) -> LinearModel:
    """From word lists: random snippets of one to five words, and our own phrases."""
    rows: list[list[str]] = []
    labels: list[str] = []
    phrases = list(examples)
    for language in LANGUAGES:
        for snippet in [*_snippets(language), *_own(phrases, language) * 2]:
            rows.append(list(language_features([w.replace("'", "") for w in words(tidy(snippet))])))
            labels.append(language)
    learner = LogisticRegression(C=20.0, max_iter=200, tol=1e-3)
    return fit(rows, labels, LANGUAGES, 4, learner)


def _own(phrases: Iterable[Example], language: str) -> list[str]:
    """Our own phrases; the Greek ones in Latin letters."""
    texts = [one.text for one in phrases if one.language == language]
    if language != "el":
        return texts
    habits = sorted(GREEKLISH)
    return [greeklish(text, GREEKLISH[habits[at % len(habits)]]) for at, text in enumerate(texts)]


def _snippets(language: str) -> list[str]:
    """Random word strings of a language, commoner words more often."""
    chance = random.Random(f"{SEED}{language}")  # noqa: S311
    listed, weights = _word_list(language)
    turn: Callable[[str], str] = str
    if language == "el":
        habits = list(GREEKLISH.values())

        def turn(snippet: str) -> str:
            return greeklish(snippet, chance.choice(habits))

    made = [turn(" ".join(chance.choices(listed, weights, k=chance.randint(1, 5)))) for _ in range(_SNIPPETS)]
    return made + [turn(word) for word in listed[:_SINGLES]]


def _word_list(language: str) -> tuple[list[str], list[float]]:
    """Common words and how often to draw them."""
    if language == "sq":
        lines = (WORDS / "sq.txt").read_text(encoding="utf-8").splitlines()
        listed = [word for line in lines if not line.startswith("#") for word in line.split()]
        return listed, [1 / (10 + rank) for rank in range(len(listed))]
    from wordfreq import get_frequency_dict

    shares = get_frequency_dict(language, wordlist="small")
    listed = [word for word in sorted(shares, key=lambda w: (-shares[w], w)) if _own_script(word, language)][
        :_TOP
    ]
    return listed, [shares[word] ** 0.6 for word in listed]


def _own_script(word: str, language: str) -> bool:
    """Whether a listed word is in the language's own letters (lists hold foreign names too)."""
    if language in ("ar", "fa", "ur"):
        return all("\u0600" <= char <= "\u06ff" for char in word) and len(word) > 1
    if language in ("uk", "ru", "bg"):
        return all("\u0400" <= char <= "\u04ff" for char in word)
    return is_greek(word) if language == "el" else word.replace("'", "").isalpha()


# ------------------------------------------------------------------ the file


def train_and_save(path: Path = MODEL) -> Path:
    """Trains everything from nlu/data and writes the model file. About a minute."""
    examples = corpus.read()
    lexicon = train_lexicon(examples)
    rows = [row for example in examples for row in rows_of(example, lexicon)]
    stored = {
        "data_sha256": np.frombuffer(bytes.fromhex(corpus.digest()), np.uint8),
        "lexicon_keys": join(sorted(lexicon.known)),
        "lexicon_weights": np.array(
            [round(10 * lexicon.known[key]) for key in sorted(lexicon.known)], np.uint8
        ),
        "lexicon_domain": join(sorted(lexicon.domain)),
        "lexicon_danger": join(sorted(lexicon.danger)),
        **train_intents(rows).store("intent"),
        **train_languages(examples).store("language"),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **stored)  # type: ignore[arg-type]
    return path
