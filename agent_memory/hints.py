"""What to do next, in the words of whoever asked: a program calls methods, a shell types commands.

A hint is a sentence that names acts in braces and capitals, such as `{LIST_ARCHIVED} shows what can be restored`. As
text it names them as Python does. Another face, such as the command line, words it anew with a table of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_memory.redaction import redacted

Words = Mapping[str, str]
"""By the name of an act: what a face calls it. In braces stand values that a hint brings, such as `{id}`."""

PYTHON: Words = {
    "ADD": "`add()`",
    "ADD_MESSAGE": "`conversation.add_message()`",
    "ADD_OBJECTS": "`add_objects()`",
    "AGENT": "'{agent}'",
    "AGENTS": "`list_agents()`",
    "ANOTHER_FILE": "another `path`",
    "BACKEND": "`backend='{url}'`",
    "BEGIN_CONVERSATION": "`conversation.add_message()`",
    "BEGIN_NAMED_CONVERSATION": "`conversation.new_conversation('{id}')`",
    "CHECK": "`check()`",
    "CONVERSATIONS": "`conversation.get_conversations()`",
    "CONVERSATIONS_ARCHIVED": "`conversation.get_conversations(archived=True)`",
    "DOCUMENT_TEXT": "`add_document()`",
    "EXPORT": "`export_to()`",
    "EXPORT_HISTORY": "`history=True`",
    "FACTS": "`long_term.list()`",
    "FILE": "the path",
    "FORCE": "`force=True`",
    "GET": "`get('{id}')`",
    "HISTORY": "`history('{id}')`",
    "INDEX": "`index()`",
    "INDEX_NOW": "index()",
    "KEEP": "`on_conflict='keep'`",
    "LIST": "`list()`",
    "LIST_ARCHIVED": "`list(status='archived')`",
    "LOCAL_EMBEDDER": "'local', as by `MemoryConfig(embedding_provider='local')`",
    "MAKE_FOLDER": "make {folder}",
    "MIGRATE": "`migrate_to()`",
    "MODELS": "`list_models()`",
    "MODE_KEYWORD": "`mode='keyword'`",
    "OFFLINE": "`offline=True`",
    "PRUNE_EMPTY": "`prune_empty=True`",
    "PULL_MODEL": "`pull_model('{name}')`",
    "REEMBED": "`reembed()`",
    "REEMBED_MULTILINGUAL": "reembed('multilingual')",
    "REEMBED_WITH": "reembed('{provider}', {{'model': '{model}'}})",
    "RENAME_AGENT": "`rename_agent()`",
    "REOPEN": "`reopen()`",
    "REPAIR": "`repair()`",
    "REPLACE": "`'replace'`",
    "RERANK": "`rerank=True`",
    "RESTORE": "`restore('{id}')`",
    "SALVAGE": "`salvage()`",
    "SCHEMA": "`schema()`",
    "SET_PREFERENCE": "`long_term.store_preference()`",
    "SET_WORKING": "`short_term.set_working_memory()`",
    "SHOW_DOCUMENT": "`semantic.get_document('{id}')`",
    "SHOW_SKILL": "`procedural.require_skill({name!r})`",
    "SKILLS": "`procedural.list()`",
    "STATUS": "`get_status()`",
    "STORE_TEXT": "give its text to `add()`",
    "TO_UTF8": "decode it with errors='replace' first",
    "USE_BACKEND": "`backend='{to}'`",
    "USE_FILE": "`path='{to}'`",
    "USE_SKILL": "`procedural.use_skill({name!r})`",
    "VERIFY_MODEL": "`verify_model('{name}')`",
    "WORKING_VALUES": "`short_term.list_working_memory()`",
}
"""The acts as a Python program names them."""


class Hint(str):
    """A sentence that any face can word in its own terms; as text it is in Python's.

    Args:
        template: the sentence; names in capitals and braces are acts, others are values.
        values: what stands for the other names. A value may be a hint or an error itself.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, **values: Any) -> Hint:
        hint = super().__new__(cls, _filled(template, values, PYTHON))
        hint.template, hint.values = template, values
        return hint

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.template, {name: _plain(value) for name, value in self.values.items()})

    def worded(self, words: Words) -> str:
        """Return the sentence in the words of a face."""
        return redacted(_filled(self.template, self.values, words))


def worded(text: str, words: Words) -> str:
    """Return a text in the words of a face, if it is a hint; any other text as it is."""
    return text.worded(words) if isinstance(text, Hint) else text


def _filled(template: str, values: Mapping[str, Any], words: Words) -> str:
    values = {name: _in_words(value, words) for name, value in values.items()}
    acts = {name: word.format_map(values) for name, word in words.items() if f"{{{name}}}" in template}
    return template.format_map({**acts, **values})


def _in_words(value: Any, words: Words) -> Any:
    if isinstance(value, Exception):
        message, hint = getattr(value, "message", str(value)), getattr(value, "hint", None)
        said = worded(message, words)
        return f"{said}: {worded(hint, words)}" if hint else said
    return worded(value, words) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Exception) else value


def _again(template: str, values: Mapping[str, Any]) -> Hint:
    return Hint(template, **values)
