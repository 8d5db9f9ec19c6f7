"""Choosing what one walk mostly does.

Even mixes of all verbs find little; most faults need a few verbs to meet again and again on the same memories. So a
walk has two to five verbs of one or two types, a few options in play, and few values for each argument.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .pools import POOLS
from .values import few, optional
from .verbs import Verb, all_verbs

VERBS = all_verbs()
MEETING = ("key", "purge", "shred")
"""Options that make one step take the place of another's memory: in play more often than others."""


@dataclass(frozen=True)
class Mix:
    """What one walk mostly does, and how."""

    verbs: Sequence[Verb]
    spoken: Sequence[str]
    """Optional arguments in play."""
    pools: Mapping[str, Sequence[Any]]
    """What arguments may be."""
    style: str
    """`kept`: one handle; `fresh`: a new one for most steps; `two`: two processes with a handle each."""
    pending: bool
    """Whether embedding is left to searches and `index`."""
    kills: bool
    """Whether the process is killed now and then, between two steps and in the middle of one."""


def mix_of(number: int, *, persistent: bool) -> Mix:
    """Choose a mix of verbs of the whole memory and of one or two types, the same for the same number.

    Not left to hypothesis, which likes to repeat itself: a mix is worth most where it is unlike all before it.
    """
    chance = random.Random(number)
    # By name first: what every type has shall not crowd out what only one has.
    name = chance.choice(sorted({verb.name for verb in VERBS if verb.may_add}))
    verbs = [chance.choice([verb for verb in VERBS if verb.may_add and verb.name == name])]
    faces = {"", verbs[0].face or chance.choice(_FACES)}
    if chance.random() < 0.25:
        faces.add(chance.choice(_FACES))
    near = [verb for verb in VERBS if verb.face in faces]
    if chance.random() < 0.9:
        verbs.append(chance.choice([verb for verb in near if verb.finds]))
    verbs += chance.choices(
        near, [1 if verb.lists else 4 for verb in near], k=chance.choice([0, 0, 0, 1, 1, 2, 3])
    )
    # What a verb itself names counts for more than what it passes on.
    options = [
        name for verb in verbs for name in (*optional(verb), *2 * list(verb.parameters)) if name in POOLS
    ]
    spoken = chance.choices(options, k=chance.choice([0, 0, 1, 2, 4])) if options else []
    spoken += [name for name in MEETING if name in options and chance.random() < 0.5]
    style = chance.choice(["kept", "fresh", "fresh", "two"]) if persistent else "kept"
    return Mix(
        verbs=list(dict.fromkeys(verbs)),
        spoken=list(dict.fromkeys(spoken)),
        pools=few(chance),
        style=style,
        # Half of all walks: most often those that work as the shell does, with a new process for each step.
        pending=chance.random() < (0.75 if style == "fresh" else 0.25),
        kills=persistent and chance.random() < 0.1,
    )


_FACES = sorted({verb.face for verb in VERBS} - {""})
