"""What the chat page itself says, in Greek and English. The conversation's words live in flows/library."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

LANGUAGES = ("el", "en")
WORDS: Mapping[str, Mapping[str, str]] = {
    "el": {
        "title": "Συνομιλία",
        "automated": "αυτόματο πρόγραμμα",
        "skip": "Πηγαίνετε στο μήνυμα",
        "danger": "Κίνδυνος;",
        "call": "Καλέστε",
        "person": "Θέλω άνθρωπο",
        "exit": "Γρήγορη έξοδος",
        "exit_hint": "Κλείνει τη σελίδα αμέσως. Με το πληκτρολόγιο: Esc δύο φορές.",
        "log": "Η συνομιλία",
        "start": "Γράψτε με δικά σας λόγια τι χρειάζεστε. Μπορείτε να γράψετε και ανώνυμα.",
        "message": "Το μήνυμά σας",
        "send": "Στείλτε",
        "place": "Στείλτε πού είστε",
        "place_failed": "Η συσκευή δεν έδωσε το σημείο. Γράψτε δρόμο ή περιοχή.",
        "typing": "Γράφει…",
        "you": "Εσείς",
        "bot": "Πρόγραμμα",
        "human": "Άνθρωπος της υπηρεσίας",
        "sending": "Στέλνεται…",
        "waiting": "Δεν έφυγε ακόμη. Δοκιμάζω ξανά μόνο μου.",
        "offline": "Η σύνδεση κόπηκε. Δοκιμάζω ξανά. Σε κίνδυνο καλέστε 112.",
        "cookies": "Ο φυλλομετρητής δεν κρατά cookies και δεν μπορώ να σας απαντήσω. Σε κίνδυνο καλέστε 112.",
        "answers": "Έτοιμες απαντήσεις",
        "placed": "Στείλατε το σημείο σας στον χάρτη",
        "edited": "διορθωμένο",
        "too_long": "Το μήνυμα είναι πολύ μεγάλο. Στείλτε το σε δύο ή τρία μικρότερα.",
        "not_understood": "Κάτι δεν πήγε καλά με το μήνυμα. Γράψτε το ξανά.",
        "foreign": "Αυτή η σελίδα δεν μπορεί να στείλει μηνύματα εδώ. Ανοίξτε τη σελίδα του Δήμου.",
        "store_down": "Δεν μπόρεσα να κρατήσω το μήνυμα. Δοκιμάστε ξανά σε λίγο. Σε κίνδυνο καλέστε 112.",
        "other": "English",
        "noscript": "Η συνομιλία χρειάζεται JavaScript, που είναι κλειστό εδώ. Μπορείτε να τηλεφωνήσετε:",
        "line_112": "κίνδυνος για ζωή",
        "line_166": "ασθενοφόρο",
        "line_1018": "σκέψεις αυτοκτονίας, όλο το 24ωρο",
        "line_10306": "ψυχολογική στήριξη, όλο το 24ωρο",
        "line_15900": "βία κατά γυναικών, όλο το 24ωρο",
    },
    "en": {
        "title": "Chat",
        "automated": "an automated program",
        "skip": "Go to your message",
        "danger": "Danger?",
        "call": "Call",
        "person": "Talk to a person",
        "exit": "Quick exit",
        "exit_hint": "Closes this page at once. By keyboard: press Esc twice.",
        "log": "The conversation",
        "start": "Write in your own words what you need. You do not have to give your name.",
        "message": "Your message",
        "send": "Send",
        "place": "Send where you are",
        "place_failed": "The device did not give its place. Write a street or an area.",
        "typing": "Writing…",
        "you": "You",
        "bot": "Program",
        "human": "A person of the service",
        "sending": "Sending…",
        "waiting": "Not sent yet. I keep trying by myself.",
        "offline": "The connection is lost. I keep trying. In danger call 112.",
        "cookies": "This browser keeps no cookies, so my answer cannot reach you. In danger call 112.",
        "answers": "Ready answers",
        "placed": "You sent your place on the map",
        "edited": "edited",
        "too_long": "The message is too long. Send it in two or three smaller ones.",
        "not_understood": "Something went wrong with the message. Please write it again.",
        "foreign": "This page cannot send messages here. Open the chat from the municipality's own page.",
        "store_down": "I could not keep the message. Try again in a moment. In danger call 112.",
        "other": "Ελληνικά",
        "noscript": "The chat needs JavaScript, which is off on your device. You can call:",
        "line_112": "danger to life",
        "line_166": "ambulance",
        "line_1018": "thoughts of suicide, 24 hours",
        "line_10306": "psychological support, 24 hours",
        "line_15900": "violence against women, 24 hours",
    },
}


def language_of(request: web.Request, default: str = "el") -> str:
    """el or en: what the address asks for, else the browser's first language that we speak."""
    asked = request.query.get("lang", "")
    if asked in LANGUAGES:
        return asked
    for part in request.headers.get("Accept-Language", "").split(","):
        short = part.split(";")[0].strip()[:2].lower()
        if short in LANGUAGES:
            return short
    return default
