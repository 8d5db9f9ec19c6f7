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
from collections.abc import Iterator
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
    abbreviate anonymise anonymize back book bother buy cancel capitalise contact deploy document download elaborate
    email encrypt exaggerate fabricate flatter forget guess hide hold install interrupt invent joke lecture lint merge
    overwrite paraphrase ping prepare pretend publish push rebase redact refactor reformat rename reschedule schedule
    spare squash stress swear trim truncate underline upgrade upload validate
""".split()  # noqa: SIM905
)
"""What people ask an agent to do."""
_OUTPUT: Final = (
    r"(?:answers?|repl(?:y|ies)|responses?|explanations?|messages?|summar(?:y|ies)|suggestions?|recommendations?"
    r"|translations?|reports?|drafts?|letters?|e-?mails?|commits?|commit messages?|reviews?|examples?|snippets?)"
)
"""What an agent hands out."""
_STYLE: Final = (
    r"(?:bullet points|emojis?|emoticons|jargon|preambles?|disclaimers?|footnotes|exclamation marks|hashtags"
    r"|abbreviations|sugarcoating)"
)
"""What its texts may have or not."""
_LANGUAGE: Final = (
    r"(?:arabic|chinese|czech|danish|dutch|english|finnish|french|german|greek|hebrew|hindi|hungarian|italian|japanese"
    r"|korean|norwegian|polish|portuguese|romanian|russian|spanish|swedish|turkish|ukrainian|vietnamese)"
)
_CONVENTION: Final = (
    r"(?:metric|imperial|si|british|american|24[- ]hour|12[- ]hour|iso|celsius|fahrenheit|kilomet(?:er|re)s|miles"
    r"|they/them|he/him|she/her)"
)
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
    r"(?:(?:please|just|also|only|always|never|then|do not|don't|rather)[\s,]+){0,3}(?P<verb>[a-z]+)\b(?!')"
)
"""A request, which is one if its verb is among `_VERBS`; as one expression with them it would compile for long."""
_ADDRESSED: Final = (
    r"(?:(?:please[\s,]+)?(?:i want|i'd like|i would like|i need|i expect|i prefer|i'd prefer|i hate|i don't want"
    rf"|you should|you must|you can|you may|no more|no |only |not |your "
    rf"|all (?:your|my) [\w ]+ (?:should|must|need|in|as|with|without) |any )|{_REQUEST})"
)
_ASKING: Final = (
    r"(?:ask|asks|say|mention|request|want|need|tell|talk|speak|write|type|paste|send|share|give|show|bring|inquire"
    r"|enquire|discuss|start|begin|post|upload|use|refer|seek|look|come|am asking|am talking|am looking|query|call"
    r"|describe|propose|complain|sound|seem|greet|quote|suggest|decide|plan|report|raise)"
)
_WHENEVER: Final = r"(?:when|whenever|if|every time|each time|any time|anytime|everytime|as soon as|once)"
_DOING: Final = (
    r"(?:write|make|give|do for|send|answer|say|show|create|produce|generate|tell|recommend|suggest|translate|draft"
    r"|compose|prepare|design|build|plan)"
)
_ABOUT: Final = r"(?:(?:for|in|on|with|at|when|whenever|if) [^,.?!]{1,80},\s+(?:please\s+)?)?"
"""What an instruction may be limited to, in front of it."""
_ON: Final = (
    r"(?:from now on(?:wards?)?|from here on(?: out)?|from this point (?:on|forward)|starting now|as of (?:now|today)"
    r"|going forward|moving forward|in (?:the )?future|until further notice|by default"
    r"|as a (?:general )?rule)"
)

_RULES: Final = (
    # "Always use tabs", "please never call me that", "ask first, always".
    rf"{_ABOUT}(?P<by>always|never)(?! say never\b)[\s,]+(?:please\s+)?{_ADDRESSED}",
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
    rf"{_REQUEST}.{{0,160}}?\b(?P<by>(?:in|of|to|with) (?:every|each) (?:\w+ )?{_OUTPUT})\b",
    rf"(?:(?:make sure|ensure|see to it) )?(?:that )?(?P<by>every|each) (?:\w+ )?{_OUTPUT}\b"
    r".{0,60}?\b(?:\w+s|should|must)\b",
    rf"(?P<by>(?:every|each) (?:morning|evening|night|day|week|month|(?:mon|tues|wednes|thurs|fri|satur|sun)day))"
    rf"(?:[\s,]+|[\w' ]{{1,40}}, ){_REQUEST}",
    rf"(?P<by>should i ever {_ASKING})\b[^.?!]{{0,200}}?[,:;]\s*{_ADDRESSED}",
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
    r"|now|up\b|after|before|once|soon|some|any|first|asap|or\b|and\b|with|about|to\b|from|for|this|next|what|names"
    r"|crazy|mad\b|old-fashioned|silly|biased|paranoid|cynical|stupid|naive|weird|lazy|picky)",
    r"(?:refer to|address) (?!this|that|it\b)[\w' ]{1,40}? (?P<by>as) ",
    r"(?P<by>treat me) (?:as|like) (?!this|that)",
    rf"(?P<by>don't|do not|stop|avoid|no|skip|leave out)\b(?: \w+){{0,3}} {_STYLE}\b",
    # "Answer in German", "use metric units".
    rf"(?:answer|reply|respond|speak|talk|write)(?: to me| everything| only){{0,2}} (?P<by>in {_LANGUAGE})\b",
    rf"(?P<by>use (?:only |the )*{_CONVENTION})\b",
    r"(?P<by>assume)(?: that)? i(?:'m| am|'ve| have| use| know| want| need)\b",
    r"(?:don't|do not|stop|no)\b.{0,120}?\b(?P<by>before you (?:answer|reply|respond|start|begin))\b",
    r"(?:don't|do not) (?:ever )?(?:recommend|suggest|propose|book|buy|order|schedule|use)(?: me)?"
    r" (?P<by>any|anything|anybody|anyone)\b",
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
    r"^(?P<by>i(?:'d)? (?:really |generally |usually )?(?:prefer|hate|dislike|(?:don't )?(?:want|like|need)))"
    rf" (?:\w+ ){{0,4}}(?:{_STYLE}|(?:short|long|brief|concise|detailed|direct|plain|formal|informal|honest|blunt)\w*"
    rf" {_OUTPUT})\b",
    r"^(?P<by>my pronouns are)\b",
    # "When I say the usual, I mean ...".
    r"^(?:and |also |so |please note:? )?"
    r"(?P<by>(?:when|whenever|if|every time) i (?:say|write|type|mention|ask for))\b"
    r"[^.?!]{1,120}?,\s*i (?:always |just )?mean (?!it\b|that\b|every\b)",
    # "In every file you make", "that holds for all projects", "that's how I want them".
    r"\b(?P<by>(?:in|for|with|to|at|on) (?:every|each|all|any|anything|everything)(?: (?:\w+ ){0,3}\w+)?"
    rf" (?:that )?you (?:ever )?{_DOING})\b",
    r"\b(?P<by>(?:that|this|it) (?:rule )?(?:holds|goes|applies|counts|stands) (?:for|to|in)"
    r" (?:all|every|everything|any))\b",
    r"\b(?P<by>that's how i (?:always )?(?:want|like|prefer|need)) (?:it|them|these|those|things|my)\b",
)
"""What may stand in a sentence anywhere, or with its opening."""
_ONCE: Final = (
    r"\b(?:this (?:time|once|one|email|mail|message|text|letter|page|file|draft|question|answer|case|task|week"
    r"|weekend|morning|afternoon|evening|month|year|summer|winter|spring|autumn|fall)|just once"
    r"|just for now|for now|for today|only today|here(?! on\b)|tonight|(?<!from )tomorrow)\b"
)
"""What a request for one time says."""
_PERSONAL: Final = (
    r"\b(?:yourself|yourselves|your (?:dreams?|heart|family|friends?|mom|mum|dad|parents|kids?|children|husband|wife"
    r"|partner|life|chin|spirits?|passions?|gut|health|well-being|feelings|happiness)"
    r"|you've (?:got|come)|you deserve|you'll (?:be|do) (?:fine|great|well|ok|okay|amazing)"
    r"|you're (?:not alone|one of|so|such|amazing|awesome|great|strong|doing (?:great|well|so))"
    r"|give up|lose (?:hope|sight|faith)|count on me|stop (?:dreaming|believing|learning|\w+ing,? you)|proud of you"
    r"|let (?:me|us) know if you(?:'d like| need| want| know| like| have any| decide| feel)|good luck"
    r"|(?:need|want) (?:any |some |a |my |more )*"
    r"(?:help|hand|company|support|advice|someone|somebody|friend|to (?:talk|chat|vent))"
    r"|know (?:any|some)(?:one|body))\b"
)
"""What is said to a person and not to a program: of their life, to encourage them, to offer help or company."""
_PLEASE: Final = r"[\s,;.!]*\b(?:please|pls|thanks|thank you|thx|ok|okay|right)[.!]*$"
_QUOTED: Final = r"(?sm)```.*?(?:```|\Z)|`[^`\n]*`|\"[^\"]*\"|“[^”]*”|«[^»]*»|„[^“”]*[“”]|^\s*>.*$"
_SENTENCE: Final = r"(?<=[.!?])\s+|\n+|(?<=[a-z)])\s+[-–—]+\s+"
_TRIGGER: Final = (
    r"\b(?:always|never|ever|when|whenever|if|every|each|any|anything|everything|anytime|everytime|now on|here on"
    r"|forward|future|henceforth|rest of|circumstances|default|rule|remember|mind|holds|goes|applies|counts|stands"
    r"|default to|stick|call me|address|refer to|treat me|assume|prefer|pronouns|i'm|before you|this point"
    r"|starting now|as of|again|anymore"
    r"|any more|notice|exception|no matter|your (?:answers|replies|responses|explanations|messages"
    r"|summaries|suggestions)|how i|unless|until|all|hate|stand|dislike|like|once|as soon as|today|times"
    rf"|in {_LANGUAGE}|use (?:only |the )*{_CONVENTION}|{_STYLE})\b"
)
_PLAIN: Final = str.maketrans("’‘", "''")


_SO: Final = r"[,;:] (?:and )?(?:so|therefore|hence|that's why),? (?:please )?"
"""What stands between a reason and what is asked for."""


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
    return next(instructions(text), None)


def instructions(text: str, having: re.Pattern[str] | None = None) -> Iterator[Instruction]:
    """Yield the standing instructions in a text, one after the other, as `instruction` spots them.

    Args:
        text: what somebody said.
        having: what a sentence must hold to be looked at; None for nothing.
    """
    text = text[:LONGEST].translate(_PLAIN)
    if not re.search(_TRIGGER, text.lower()):
        return
    for sentence in re.split(_SENTENCE, re.sub(_QUOTED, " … ", text)):
        sentence = " ".join(sentence.split()).strip("-*•–— ")
        if having is not None and not having.search(sentence):
            continue
        words = _spotted(lower) if re.search(_TRIGGER, lower := sentence.lower()) else None
        if words is not None:
            yield Instruction(sentence, words)


class _Compiled(NamedTuple):
    opening: re.Pattern[str]
    personal: re.Pattern[str]
    please: re.Pattern[str]
    so: re.Pattern[str]
    rules: tuple[re.Pattern[str], ...]
    whole: tuple[re.Pattern[str], ...]


@cache
def _compiled() -> _Compiled:
    """Compile the rules when the first text may hold an instruction: most programs never see one."""
    return _Compiled(
        re.compile(_OPENING),
        re.compile(_PERSONAL),
        re.compile(_PLEASE),
        re.compile(_SO),
        tuple(map(re.compile, _RULES)),
        tuple(map(re.compile, _WHOLE)),
    )


def _spotted(sentence: str) -> str | None:
    """Return the words that make a sentence in lower case an instruction, None if it is none."""
    if (sentence.endswith("?") and not sentence.startswith(_ASKED)) or re.search(_ONCE, sentence):
        return None
    opening, personal, please, so, rules, whole = _compiled()
    if personal.search(sentence):
        return None
    sentence = please.sub("", sentence)
    begun = opening.match(sentence)
    starts = [begun.end() if begun else 0, *(start.end() for start in so.finditer(sentence))]
    for match in chain(
        (rule.match(sentence[start:]) for start in starts for rule in rules),
        (rule.search(sentence) for rule in whole),
    ):
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
