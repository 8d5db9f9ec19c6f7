from __future__ import annotations

import pytest

from agent_memory.text.languages import is_in_another_language


@pytest.mark.parametrize(
    "text",
    [
        "Der Schlüssel zum Schuppen liegt unter dem Blumentopf.",
        "Marek verträgt keine Erdnüsse.",
        "El usuario prefiere el tema oscuro.",
        "La chiave della cantina è sotto il vaso.",
        "Le serveur est dans un centre de données à Francfort.",
        "A chave não está em casa, mas com o vizinho.",
        "Het huis van mijn broer is niet groot.",
        "Nyckeln ligger på bordet och är inte min.",
        "Klucz jest pod doniczką.",
        "Anahtar bir saksının altında ve bu benim.",
        "Deploy ist immer am Freitag, und die Tests laufen auf dem Server.",
    ],
)
def test_other_languages_in_latin_letters(text: str) -> None:
    assert is_in_another_language(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "prefers dark mode",
        "The key to the shed is under the flower pot.",
        "We fly to Rio de Janeiro in August.",
        "Meeting with Ludwig van Beethoven",
        "the café on the corner, à la carte",
        "José works for Banco de España in the legal department.",
        "El Paso office",
        "def main(): return None",
        "https://example.com/en/la/des?y=1&con=2",
        "Vincent van Gogh painted at the hospital",
        "数据库在奥斯陆运行",
    ],
)
def test_english_and_names_are_left_alone(text: str) -> None:
    assert not is_in_another_language(text)


def test_only_the_beginning_is_read() -> None:
    assert not is_in_another_language("Plain English words. " * 30 + "der das und nicht ist ein " * 100)
