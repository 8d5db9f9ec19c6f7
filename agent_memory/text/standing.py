"""Spotting standing instructions: what a person tells an agent once and wants it to keep to from then on.

"Always answer in German", "never recommend anything with peanuts", "when I ask for a summary, give bullet points". A
rule and no model: what it spots can be told in a line, and is the same everywhere. It reads English only; whatever is
said in another language can be marked by hand (`standing=True`).

A sentence is an instruction by how it begins or ends and by the verb of a request, not by a word like "always" alone:
"I always forget my keys", "the sign says that from now on ..." and quotations are none. A sentence that is
about this one time ("for this email, ...") is none either.

The stores index `MARK` with every memory that the rule spots, so that they are found without reading any other. A
change of the rule that spots more needs a new `analysis.ANALYSER`; one that spots less does not, as what is found is
checked again by the rule.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import chain
from typing import Final, NamedTuple

from agent_memory.records import ConversationRecord, LongTermRecord, MemoryRecord
from agent_memory.roles import role_of

MARK: Final = "standinginstructionspotted"
"""The word that is indexed with what the rule spots; no text is likely to hold it."""
STANDING_TAG: Final = "standing"
GOAL_TAG: Final = "goal"
"""Tags by which a person marks what belongs to the standing context of a recall. They are tags like any other: lists
are filtered by them, exports carry them, and they can be taken away."""
LONGEST: Final = 4000
"""Characters at the beginning of a text that the rule reads: what is longer was pasted more often than said."""

_VERBS: Final = frozenset(
    """
    add address adjust adopt aim allow alphabetize announce answer apologize append apply argue arrange ask assume
    attach
    avoid base be begin break bring build call capitalize check choose cite clarify clean close color comment commit
    compare compile confirm consider consult contain convert copy correct count cover create default define delete
    describe design display divide do double draft draw emphasize encourage end ensure estimate exclude expand explain
    express feature fetch find finish fix flag focus follow format generate give go greet group guess handle help
    highlight ignore include indent indicate insert introduce invite justify keep label lay lead leave let limit link
    list log look make mark match measure mention modify move name note notify number offer omit open order organise
    organize outline pick plan point praise prefer prefix present prioritise prioritize produce proofread propose
    provide pull put quote rank rate read recommend refer refuse remember remind remove repeat rephrase replace reply
    report respond respect restate return review rewrite round run save say scale schedule send separate set share
    shorten show sign simplify skip sort speak specify spell split stack start state stay stick stop structure suggest
    summarise summarize support supply switch tag take talk teach tell test think touch track translate treat try type
    update use verify wait warn word work wrap write
    abbreviate back bother capitalise document forget hide hold ping pretend spare stress trim truncate underline
    validate
""".split()  # noqa: SIM905
)
"""What people ask an agent to do."""
_OPENING: Final = (
    r"(?:(?:and|also|so|but|ok|okay|hey|hi|oh|yes|no,|well|again|btw|by the way|one more thing|please|pls|just|then"
    r"|note:|reminder|rule|remember:|important|fyi|kindly|generally|could you|can you|would you|will you|you should"
    r"|you must|you can|make sure (?:to|you|that you)|be sure to|remember to|i want you to|i need you to"
    r"|i would like you to|i'd like you to|i'd like it if you|i'd prefer (?:it )?if you|i'd prefer (?:that )?you"
    r"|i'd rather you"
    r"|it would be (?:great|good|nice|helpful) if you(?: could)?|let's)[\s,:;-]+){0,4}"
)
"""What may stand before a request."""
_REQUEST: Final = (
    r"(?:(?:please|just|also|only|always|never|then|do not|don't|rather)[\s,]+){0,3}(?P<verb>[a-z]+)\b"
)
"""A request, which is one if its verb is among `_VERBS`; as one expression with them it would compile for long."""
_ADDRESSED: Final = (
    r"(?:(?:please[\s,]+)?(?:i want|i'd like|i would like|i need|i expect|i prefer|i'd prefer|i hate|i don't want"
    rf"|you should|you must|you can|you may|no more|no |only |not |your |all (?:your|my) |any )|{_REQUEST})"
)
_ASKING: Final = (
    r"(?:ask|asks|say|mention|request|want|need|tell|talk|speak|write|type|paste|send|share|give|show|bring|inquire"
    r"|enquire|discuss|start|begin|post|upload|use|refer|seek|look|come|am asking|am talking|am looking|query|call"
    r"|describe|propose|complain|sound|seem|greet|quote|suggest|decide|plan|report|raise)"
)
_WHENEVER: Final = r"(?:when|whenever|if|every time|each time|any time|anytime|everytime|as soon as|once)"
_DOING: Final = (
    r"(?:write|make|give|do|send|answer|say|show|create|produce|generate|tell|recommend|suggest|translate)"
)
_ON: Final = (
    r"(?:from now on(?:wards?)?|from here on(?: out)?|from this point (?:on|forward)|starting now|as of (?:now|today)"
    r"|going forward|moving forward|in (?:the )?future|until further notice|by default"
    r"|as a (?:general )?rule)"
)

_RULES: Final = (
    # "Always use tabs", "please never call me that", "ask first, always".
    rf"(?P<by>always|never)(?! say never\b)[\s,]+(?:please\s+)?{_ADDRESSED}",
    rf"{_REQUEST}.{{0,200}}?[\s,](?P<by>always|at all times|every (?:single )?time|each time)[.!]*$",
    r"(?P<by>don't ever|do not ever|under no circumstances)\b",
    # "From now on ...", "in future ...", "for the rest of our chat ...".
    rf"(?P<by>{_ON}|from today(?: on)?|for (?:the|all) future|henceforth|in general)[\s,:]+"
    rf"(?:and |also |please |just )*{_ADDRESSED}",
    rf"{_REQUEST}.{{0,200}}?\b(?P<by>{_ON})\b[^a-z]*$",
    r"(?P<by>for the rest of (?:our|this|the) (?:work|chat|conversation|session|project|discussion|time)\b)",
    # "When I ask for ..., give ...", "give ... whenever I ask for ...", "before you ..., ask".
    rf"(?P<by>{_WHENEVER} (?:i|we) (?:\w+ )?{_ASKING}\b)[^.?!]{{0,200}}?[,:;]\s*{_ADDRESSED}",
    rf"{_REQUEST}.{{0,300}}?\b(?P<by>{_WHENEVER} (?:i|we) (?:\w+ )?{_ASKING}\b)",
    r"(?P<by>(?:whenever|if|when|every time|each time|before|after) you (?!(?:can|could|have time|want|like|get a"
    rf" chance|ever (?:do|want|need|feel|get|have|decide|try))\b)\w+)[^.?!]{{0,200}}?[,:;]\s*{_ADDRESSED}",
    rf"(?P<by>whenever|every time|each time) [^.?!,]{{1,120}},\s*{_REQUEST}",
    # "For every translation give ...", "in each of your answers", "before every commit, run ...".
    r"(?P<by>(?:in|for|with|after|before|at the (?:end|start|beginning|top) of) (?:every|each|all))"
    rf" (?:[\w'-]+|[\w' -]{{1,60}}[,:])\s+{_REQUEST}",
    rf"(?:no\b|{_REQUEST}).{{0,160}}?\b(?P<by>in (?:all|every|each|any)(?: one)?(?: of)? (?:your|my) \w+)",
    rf"(?P<by>(?:every|each) (?:morning|evening|night|day|week|month|(?:mon|tues|wednes|thurs|fri|satur|sun)day))"
    rf"[\s,]+{_REQUEST}",
    # "Keep your answers short", "don't call me that again", "... until further notice".
    r"(?:keep|make|limit|end|start|begin|write|format)\b.{0,60}?\b"
    r"(?P<by>your (?:answers|replies|responses|explanations|messages|summaries|suggestions))\b",
    r"(?:don't|do not|stop)\b.{0,120}?\b(?P<by>again|ever|anymore|any more)[.!]*$",
    rf"{_REQUEST}.{{0,200}}?\b(?P<by>without exception|no matter what)\b",
    r"no\b.{0,80}?\b(?P<by>ever|again|anymore|any more)[.!]*$",
    r"i'm\b.{0,80}?[,;:] (?:so )?(?:please )?(?P<by>never|don't|do not|only|always) [a-z]+\b",
    # "Stick to British spelling", "call me Jo", "ask me before you delete a file".
    r"(?P<by>default to|stick (?:to|with)) (?!this|that|it\b)",
    r"(?P<by>call me|address me as|refer to me as) (?!a |an |back|later|when|at |on |in |if |tomorrow|tonight"
    r"|now|up\b)",
    rf"{_REQUEST}(?:(?!\b(?:that|which|why|how|where|what|this)\b).){{0,100}}?"
    r"\b(?P<by>(?:whenever|every time|each time|before) you)\b",
    # "Remember that I want ...", "I'd rather you didn't ... I hate that".
    r"(?P<by>(?:remember|keep in mind|bear in mind|note|don't forget)(?: that)?)[\s,:]+i"
    r"(?:'d| would)? (?:always |never |really |only )?(?:want|need|like|prefer|expect|hate|love|am allergic)\b",
    r"(?:don't|do not|stop|no)\b.{0,160}?\bi (?P<by>hate|can't stand|dislike|don't like|do not like)\b",
)
"""What follows the opening of a sentence; `by` are the words that are said to be the reason."""
_WHOLE: Final = (
    # "I want you to always ...", "I never want my ...", "I'd like you to answer in German unless ...".
    r"^i(?:'d| would)? (?:want|like|need|prefer|expect) (?:you to|that you|if you|it if you|you)"
    r" (?P<by>always|never)\b",
    r"^i (?P<by>always|never) (?:want|need|expect|prefer|like) (?:you|my|your|to see|to get|the answer|answers)\b",
    r"^i(?:'d| would)? (?:like|prefer|want|need) you to .{0,200}?\b(?P<by>unless|until) (?:i|we|otherwise)\b",
    r"^i (?:want|need|like|prefer|expect) (?P<by>all|every|each of) (?:my|your)\b",
    r"\b(?P<by>unless (?:i|we) (?:say|ask|tell|write|specify|request)|unless (?:told|asked|instructed) otherwise"
    r"|until i (?:say|tell you) otherwise)\b",
    r"^i prefer\b.{0,200}?\b(?P<by>when(?:ever)? you)\b",
    # "In every file you make", "that holds for all projects", "that's how I want them".
    r"\b(?P<by>(?:in|for|with|to|at|on) (?:every|each|all|any|anything|everything)(?: (?:\w+ ){0,3}\w+)?"
    rf" (?:that )?you (?:ever )?{_DOING})\b",
    r"\b(?P<by>(?:that|this|it) (?:rule )?(?:holds|goes|applies|counts|stands) (?:for|to|in)"
    r" (?:all|every|everything|any))\b",
    r"\b(?P<by>that's how i (?:always )?(?:want|like|prefer|need)) (?:it|them|these|those|things|my)\b",
)
"""What may stand in a sentence anywhere, or with its opening."""
_ONCE: Final = (
    r"\b(?:this (?:time|once|one|email|mail|message|text|letter|page|file|draft|question|answer|case|task)|just once"
    r"|just for now|for now|for today|only today|here)\b"
)
_QUOTED: Final = r"(?sm)```.*?(?:```|\Z)|`[^`\n]*`|\"[^\"]*\"|“[^”]*”|«[^»]*»|„[^“”]*[“”]|^\s*>.*$"
_SENTENCE: Final = r"(?<=[.!?])\s+|\n+|(?<=[a-z)])\s+[-–—]+\s+"
_TRIGGER: Final = (
    r"\b(?:always|never|ever|when|whenever|if|every|each|any|anything|everything|anytime|everytime|now on|here on"
    r"|forward|future|henceforth|rest of|circumstances|default|rule|remember|mind|holds|goes|applies|counts|stands"
    r"|default to|stick|call me|address me|refer to me|i'm|before you|this point|starting now|as of|again|anymore"
    r"|any more|notice|exception|no matter|your (?:answers|replies|responses|explanations|messages"
    r"|summaries|suggestions)|how i|unless|until|all|hate|stand|dislike|like|once|as soon as|today|times)\b"
)
_PLAIN: Final = str.maketrans("’‘", "''")


class Instruction(NamedTuple):
    """A sentence that the rule spotted."""

    sentence: str
    words: str
    """The words by which it was spotted."""


def instruction(text: str) -> Instruction | None:
    """Return the first standing instruction in a text, in the words of whoever speaks to an agent.

    Args:
        text: what somebody said.

    Returns:
        The sentence and the words that make it one; None where the rule spots nothing.
    """
    text = text[:LONGEST].translate(_PLAIN)
    if not re.search(_TRIGGER, text.lower()):
        return None
    for sentence in re.split(_SENTENCE, re.sub(_QUOTED, " … ", text)):
        sentence = " ".join(sentence.split()).strip("-*•–— ")
        words = _spotted(lower) if re.search(_TRIGGER, lower := sentence.lower()) else None
        if words is not None:
            return Instruction(sentence, words)
    return None


@cache
def _compiled() -> tuple[re.Pattern[str], tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    """Compile the rules when the first text may hold an instruction: most programs never see one."""
    return re.compile(_OPENING), tuple(map(re.compile, _RULES)), tuple(map(re.compile, _WHOLE))


def _spotted(sentence: str) -> str | None:
    """Return the words that make a sentence in lower case an instruction, None if it is none."""
    if (sentence.endswith("?") and not sentence.startswith(_ASKED)) or re.search(_ONCE, sentence):
        return None
    opening, rules, whole = _compiled()
    begun = opening.match(sentence)
    rest = sentence[begun.end() :] if begun else sentence
    for match in chain((rule.match(rest) for rule in rules), (rule.search(sentence) for rule in whole)):
        if match is not None and (match.groupdict().get("verb") or "use") in _VERBS:
            return match["by"].strip()
    return None


_ASKED: Final = ("could you", "can you", "would you", "will you", "please")
"""How a request begins that is put as a question."""


def told_by_person(record: MemoryRecord) -> bool:
    """Return whether a memory is what a person said to an agent, or a fact: where the rule looks."""
    if isinstance(record, ConversationRecord):
        role = role_of(record.role)
        return record.kind == "message" and (role == "user" or (role is None and record.name is not None))
    return isinstance(record, LongTermRecord)


def spotted(record: MemoryRecord) -> Instruction | None:
    """Return the standing instruction that a memory holds, None for none.

    Args:
        record: any memory; only messages of people and facts are looked at.
    """
    return instruction(record.content) if told_by_person(record) else None
