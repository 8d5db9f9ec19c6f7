"""The Porter stemmer, byte for byte as SQLite's FTS5 runs it.

M. F. Porter, "An algorithm for suffix stripping", Program 14 (1980), with its author's two later changes (`bli`
for `abli`, and `logi`). Where FTS5's `porter` tokenizer departs from the paper, so does this: the document
frequencies that FTS5 keeps are looked up by the stems made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

_SHORTEST, _LONGEST = 3, 64  # bytes; FTS5 leaves other words as they are

_Rules = tuple[tuple[str, str], ...]

# By the last letter but one, as no rule's suffix is shorter than two. The first suffix that fits decides, whether
# or not what stands before it is long enough; a suffix never fits a whole word.
_STEP_2: Mapping[str, _Rules] = {
    "a": (("ational", "ate"), ("tional", "tion")),
    "c": (("enci", "ence"), ("anci", "ance")),
    "e": (("izer", "ize"),),
    "g": (("logi", "log"),),
    "l": (("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous")),
    "o": (("ization", "ize"), ("ation", "ate"), ("ator", "ate")),
    "s": (("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous")),
    "t": (("aliti", "al"), ("iviti", "ive"), ("biliti", "ble")),
}
_STEP_3: Mapping[str, _Rules] = {
    "a": (("ical", "ic"),),
    "s": (("ness", ""),),
    "t": (("icate", "ic"), ("iciti", "ic")),
    "u": (("ful", ""),),
    "v": (("ative", ""),),
    "z": (("alize", "al"),),
}
_STEP_4: Mapping[str, tuple[str, ...]] = {
    "a": ("al",),
    "c": ("ance", "ence"),
    "e": ("er",),
    "i": ("ic",),
    "l": ("able", "ible"),
    "n": ("ant", "ement", "ment", "ent"),
    "o": ("ion", "ou"),
    "s": ("ism",),
    "t": ("ate", "iti"),
    "u": ("ous",),
    "v": ("ive",),
    "z": ("ize",),
}


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """Return the stem of a lower-case word.

    A letter that is not ASCII counts as two to four consonants, one for each byte of its UTF-8. Should the
    algorithm cut through such a letter (it can only where an English ending is glued to it), what is left of it
    becomes U+FFFD.
    """
    if word.isascii():
        return _stem(word) if _SHORTEST <= len(word) <= _LONGEST else word
    raw = word.encode("utf-8", "surrogatepass")
    if not _SHORTEST <= len(raw) <= _LONGEST:
        return word
    return _stem(raw.decode("latin-1")).encode("latin-1").decode("utf-8", "replace")


def unstemmed(root: str) -> str:
    """Return a word whose stem this is: mostly the stem itself.

    The last step takes off one `e`, or one `l` of two, so a stem that still ends like this would lose another.
    """
    return next((word for word in (root, root + "e", root + "l") if stem(word) == root), root)


def _stem(word: str) -> str:
    word = _step_1(word)
    for rules in (_STEP_2, _STEP_3):
        for suffix, other in rules.get(word[-2:-1], ()):
            if _ends(word, suffix):
                base = word[: -len(suffix)]
                if _measure(base) > 0:
                    word = base + other
                break
    for suffix in _STEP_4.get(word[-2:-1], ()):
        if _ends(word, suffix):
            base = word[: -len(suffix)]
            if _measure(base) > 1 and (suffix != "ion" or base[-1] in "st"):
                word = base
            break
    return _step_5(word)


def _step_1(word: str) -> str:
    """Take off plurals, `-ed` and `-ing`, and turn a final `y` into `i`."""
    if word[-1] == "s":
        if word[-2] == "e":
            both = (len(word) > 4 and word[-4:-2] == "ss") or (len(word) > 3 and word[-3] == "i")
            word = word[: -2 if both else -1]
        elif word[-2] != "s":
            word = word[:-1]
    if _ends(word, "eed"):
        if _measure(word[:-3]) > 0:
            word = word[:-1]
    else:
        cut = 2 if _ends(word, "ed") else 3 if _ends(word, "ing") else 0
        if cut and _has_vowel(word[:-cut]):
            word = _mended(word[:-cut])
    if word[-1] == "y" and _has_vowel(word[:-1]):
        word = word[:-1] + "i"
    return word


def _mended(word: str) -> str:
    """Restore the final `e`, or take off the doubled consonant, where `-ed` or `-ing` stood."""
    if len(word) > 2 and word.endswith(("at", "bl", "iz")):
        return word + "e"
    if len(word) > 1 and word[-1] == word[-2] and word[-1] not in "aeioulsz":
        return word[:-1]
    return word + "e" if _measure(word) == 1 and _short(word) else word


def _step_5(word: str) -> str:
    """Take off a final `e`, and one of two final `l`s."""
    if word[-1] == "e":
        base = word[:-1]
        measure = _measure(base)
        if measure > 1 or (measure == 1 and not _short(base)):
            word = base
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


def _ends(word: str, suffix: str) -> bool:
    return len(word) > len(suffix) and word.endswith(suffix)


def _forms(word: str) -> str:
    """Write `c` for each consonant and `v` for each vowel; `y` is a vowel after a consonant."""
    forms, consonant = "", False
    for letter in word:
        consonant = letter not in "aeiou" and not (consonant and letter == "y")
        forms += "c" if consonant else "v"
    return forms


def _measure(word: str) -> int:
    """Count the groups of vowels that consonants follow: Porter's m."""
    return _forms(word).count("vc")


def _has_vowel(word: str) -> bool:
    return any(vowel in word for vowel in "aeiou") or "y" in word[1:]


def _short(word: str) -> bool:
    """Return whether a word ends consonant, vowel, consonant, the last not `w`, `x` or `y`: Porter's *o."""
    return word[-1] not in "wxy" and _forms(word)[-3:] == "cvc"
