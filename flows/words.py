"""Words that work from every node: a person, back, start again, stop, another language, yes, no.

Only whole messages count ("back", not "I want my money back"), so a name or an address is never
taken for a command. Compared by flows.fold, so accents, case and Greeklish need no lines of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from flows.fold import plain, sound


def _split(phrases: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in phrases.split("|"))


# "the end" is not here on purpose: from a person in despair it is no command.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "human": _split(
        "άνθρωπο | άνθρωπος | θέλω άνθρωπο | με άνθρωπο | μιλήστε με άνθρωπο | να μιλήσω με άνθρωπο | "
        "θέλω να μιλήσω με άνθρωπο | υπάλληλο | υπάλληλος | εκπρόσωπο | θέλω υπάλληλο | κοινωνικό "
        "λειτουργό | αληθινό άνθρωπο | person | human | a person | a human | talk to a person | talk to a "
        "human | talk to someone | i want a person | i want to talk to a person | real person | agent | "
        "operator | njeri | dua njeri | людина | хочу людину | человек | оператор | хочу поговорить с "
        "человеком | إنسان | شخص | أريد شخصا | انسان | آدم | آدم واقعی | کارمند | انسان سے بات | بندہ | "
        "humain | une personne | parler à quelqu'un | une vraie personne | conseiller"
    ),
    "back": _split(
        "πίσω | προηγούμενο | προηγούμενη | πάμε πίσω | γύρνα πίσω | back | go back | previous | mbrapa | "
        "prapa | назад | رجوع | عودة | برگشت | بازگشت | عقب | واپس | retour | précédent"
    ),
    "menu": _split(
        "από την αρχή | πάλι από την αρχή | ξανά από την αρχή | αρχή | ξεκίνα από την αρχή | νέα αρχή | "
        "μενού | αρχικό μενού | start again | start over | restart | menu | main menu | start | from the "
        "start | nga fillimi | спочатку | сначала | начать заново | меню | من جديد | من البداية | القائمة "
        "| از اول | منو | شروع دوباره | دوبارہ شروع | شروع سے | recommencer | depuis le début"
    ),
    "stop": _split(
        "στοπ | σταμάτα | σταματήστε | σταμάτησε | ακύρωση | άκυρο | έξοδος | stop | cancel | "
        "quit | exit | ndal | ndalo | стоп | зупинити | остановить | توقف | قف | إلغاء | لغو | بس "
        "کرو | بند کرو | arrêter | arrête | annuler"
    ),
    "skip": _split(
        "παράλειψη | προσπέραση | επόμενο | skip | next | kalo | пропустити | пропустить | تخطي | رد کردن "
        "| چھوڑیں | passer | δεν έχω | i have none"
    ),
    "resume": _split(
        "συνέχεια | συνεχίστε | συνέχισε | continue | resume | go on | vazhdo | продовжити | продолжить | "
        "متابعة | ادامه | جاری رکھیں | continuer"
    ),
    "language": _split(
        "γλώσσα | αλλαγή γλώσσας | άλλη γλώσσα | language | change language | gjuha | мова | язык | اللغة "
        "| زبان | langue"
    ),
}

YES = _split(
    "ναι | ναί | νε | ναι ναι | βεβαίως | φυσικά | μάλιστα | σωστά | σωστό | εντάξει | οκ | yes | yeah | "
    "yep | sure | of course | ok | okay | po | так | да | نعم | ايوه | بله | آره | ہاں | جی | جی ہاں | "
    "oui | nai"
)

NO = _split(
    "όχι | οχι | μπα | δεν θέλω | no | nope | not | jo | ні | нет | لا | نه | خیر | نہیں | non | oxi | ohi"
)

LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "el": ("Ελληνικά", "greek", "ellinika"),
    "en": ("English", "αγγλικά", "in english"),
    "sq": ("Shqip", "αλβανικά", "albanian"),
    "uk": ("Українська", "ουκρανικά", "ukrainian"),
    "ru": ("Русский", "ρωσικά", "russian", "по русски"),
    "ar": ("العربية", "αραβικά", "arabic", "عربي"),
    "fa": ("فارسی", "φαρσί", "περσικά", "farsi", "persian"),
    "ur": ("اردو", "ουρντού", "urdu"),
    "fr": ("Français", "γαλλικά", "french"),
}

# A negation that is not part of the option's own words turns "I am safe" into its opposite.
NEGATIONS = frozenset(
    _split(
        "de | den | don | dont | isn | isnt | jo | mi | min | ne | never | no | non | not | nuk | oxi | "
        "pas | δε | δεν | μη | μην | ουτε | οχι | не | нет | ні | لا | ليس | نه | نہیں | نیست"
    )
)


def _table(words: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, phrases in words.items():
        for phrase in phrases:
            found.setdefault(plain(phrase), name)
            found.setdefault("~" + sound(phrase), name)
    return found


@lru_cache(maxsize=1)
def _commands() -> dict[str, str]:
    return _table(COMMANDS)


@lru_cache(maxsize=1)
def _languages() -> dict[str, str]:
    return _table(LANGUAGES)


@lru_cache(maxsize=1)
def _answers() -> dict[str, str]:
    return _table({"yes": YES, "no": NO})


def _look(table: dict[str, str], text: str) -> str | None:
    if len(text) > 60:
        return None
    return table.get(plain(text)) or table.get("~" + sound(text))


def command(text: str) -> str | None:
    """human, back, menu, stop, skip, resume or language where the whole text says so."""
    return _look(_commands(), text.removeprefix("/"))


def language(text: str) -> str | None:
    """The language that the whole text names."""
    return _look(_languages(), text.removeprefix("/"))


def yes_or_no(text: str) -> str | None:
    """ "yes" or "no" where the whole text is one of them."""
    return _look(_answers(), text)


_DECLINES = (
    "δεν έχω",
    "δε έχω",
    "δεν θέλω",
    "δε θέλω",
    "i have no",
    "i dont have",
    "i don t have",
    "i don t want",
    "i do not have",
    "i dont want",
    "no phone",
)
_DECLINING_WORDS = 6


def declines(text: str) -> bool:
    """Whether a short text says that there is nothing to answer: "I have no phone", "den exo"."""
    if len(plain(text).split()) > _DECLINING_WORDS:
        return False
    return any(sound(text).startswith(sound(phrase)) for phrase in _DECLINES)
