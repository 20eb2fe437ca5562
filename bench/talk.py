"""What the citizens of the bench say: whole conversations about food, as people write them.

Accented, unaccented and shouted Greek, Greeklish and English; taps and typed answers; answers that cannot be
used; a word of thanks. Every server gets the same ones in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Say:
    """The citizen types. `wrong`: an answer that the question cannot use, so that it is asked again."""

    text: str
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Tap:
    """The citizen taps the button with this label."""

    label: str


Step = Say | Tap
Talk = tuple[Step, ...]

TALKS: tuple[Talk, ...] = (
    (
        Say("χρειάζομαι τρόφιμα"),
        Tap("Λίγο"),
        Say("4"),
        Say("2"),
        Tap("Έως 400 ευρώ"),
        Say("Πόρος, κοντά στο σχολείο"),
        Say("6900000011"),
        Say("έχουμε μωρό με αλλεργία στο γάλα"),
        Tap("Στείλτε το"),
        Say("ευχαριστώ πολύ"),
    ),
    (
        Say("thelo voithia me trofima"),
        Say("ligo"),
        Say("tesseris"),
        Say("dio"),
        Say("den thelo na po"),
        Say("Katsampas"),
        Say("paraleipsi"),
        Say("paraleipsi"),
        Say("steilte to"),
        Say("efxaristo"),
    ),
    (
        Say("We have no food at home"),
        Tap("A little"),
        Say("3"),
        Say("1"),
        Tap("Up to 400 euro"),
        Say("Poros, near the school"),
        Say("skip"),
        Say("I write for my neighbour, she is 80"),
        Tap("Send it"),
        Say("thank you"),
    ),
    (
        Say("ΘΕΛΩ ΤΡΟΦΙΜΑ"),
        Say("ΛΙΓΟ"),
        Say("1"),
        Say("0"),
        Tap("Τίποτα"),
        Say("ΑΓΙΑ ΤΡΙΑΔΑ"),
        Say("6900000012"),
        Say("ΠΑΡΑΛΕΙΨΗ"),
        Say("ΝΑΙ"),
        Say("ΕΥΧΑΡΙΣΤΩ"),
    ),
    (
        Say("δεν εχουμε φαγητο στο σπιτι"),
        Tap("Ναι, έχω"),
        Say("πολλοι", wrong=True),
        Say("5"),
        Say("3"),
        Tap("400 έως 900 ευρώ"),
        Say("Μασταμπας, οδος 1866"),
        Say("12", wrong=True),
        Say("6900000013"),
        Say("δεν μπορω να βγω, εχω χτυπησει το ποδι μου"),
        Tap("Στείλτε το"),
    ),
    (
        Say("θα ήθελα βοήθεια με τρόφιμα για την οικογένειά μου, έμεινα άνεργος τον Σεπτέμβρη"),
        Tap("Λίγο"),
        Say("6"),
        Say("4"),
        Tap("Πάνω από 900"),
        Say("Νέα Αλικαρνασσός, δίπλα στην πλατεία"),
        Say("παράλειψη"),
        Say("μένει μαζί μας και η μητέρα μου που είναι στο κρεβάτι"),
        Say("ναι"),
        Say("ευχαριστώ"),
    ),
    (
        Say("exete trofima gia mia oikogeneia?"),
        Tap("Λίγο"),
        Say("5"),
        Say("2"),
        Tap("Δεν θέλω να πω"),
        Say("Therissos, konta sto farmakeio"),
        Say("6900000014"),
        Say("to ena paidi exei zaxaro"),
        Tap("Στείλτε το"),
        Say("na eiste kala"),
    ),
    (
        Say("I need help with food for my family"),
        Say("a little"),
        Say("four"),
        Say("2"),
        Say("I would rather not"),
        Say("Knossou avenue 12"),
        Say("6900000015"),
        Say("we have a newborn baby"),
        Say("send it"),
        Say("thanks"),
    ),
)

RED = (
    "δεν αντέχω άλλο, έχω τα χάπια μπροστά μου και θα τα πάρω",
    "8elw na autoktonisw, den antexo allo",
    "I want to kill myself tonight",
    "ΘΕΛΩ ΝΑ ΠΕΘΑΝΩ ΔΕΝ ΑΝΤΕΧΩ ΑΛΛΟ ΘΑ ΑΥΤΟΚΤΟΝΗΣΩ",
)


def talk_of(citizen: int) -> Talk:
    """The conversation that this citizen has."""
    return TALKS[citizen % len(TALKS)]
