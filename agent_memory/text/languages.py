"""Telling English from other languages in the same letters, by their articles, prepositions and pronouns."""

from __future__ import annotations

from string import punctuation
from typing import Final

from agent_memory.text.stopwords import STOPWORDS

_GERMAN_DUTCH = """
    der das und nicht ist ein eine einen einem einer mit für auf von vom dem des zu zum zur wird werden wurde sich
    auch ich wir sie er es sind im bei nach aus oder aber wie noch nur haben mein meine unser unsere dass kein keine
    seit het een van niet op met voor zijn aan dat wij hij haar naar bij
"""
_ROMANCE = """
    le la les du des et est dans pour une pas que qui sur avec au aux cette elle nous vous je ne sont ses par mais
    el los las del que en y es con por para una su sus se lo al como más pero está muy mi tiene nuestro nuestra desde
    il gli di che è per della nel alla dei si suo sua anche più non sono uma um os em não da seu são com mais
"""
_NORTHERN_EASTERN = """
    och att det som är på för inte med av jag ikke på til og ei ole että ja on
    nie się jest że na w z po dla od jak ale ve bir bu için ile çok değil
"""
_OTHERS: Final = frozenset(f"{_GERMAN_DUTCH} {_ROMANCE} {_NORTHERN_EASTERN}".split()) - STOPWORDS
_AROUND: Final = punctuation + "¿¡«»„“”‘’…–—"
_BEGINNING: Final = 500
"""Characters that are enough to tell the language of a text."""
_ENOUGH: Final = 2
"""Such words, of which one alone may be part of a name: Rio de Janeiro, El Paso."""


def is_in_another_language(text: str) -> bool:
    """Return whether a text in Latin letters is in another language than English, as far as its small words tell.

    It takes two of those of other languages, or one beside letters that English does not have, and fewer
    English ones.
    """
    words = [word.strip(_AROUND) for word in text[:_BEGINNING].lower().split()]
    others = sum(word in _OTHERS for word in words)
    english = sum(word in STOPWORDS for word in words)
    accented = any(word.isalpha() and not word.isascii() for word in words)
    return others > english and others >= (1 if accented else _ENOUGH)
