"""The library's hints, worded as commands and options that can be typed."""

from __future__ import annotations

from agent_memory import hints
from agent_memory.hints import Words

SHELL: Words = {
    "ADD": "`agentmem add`",
    "ADD_MESSAGE": "`agentmem chat add`",
    "ADD_OBJECTS": "`agentmem add --ndjson-in`",
    "AGENT": "`-a {agent}`",
    "AGENTS": "`agentmem agents list`",
    "ANOTHER_FILE": "another --db PATH",
    "BACKEND": "--backend {url}",
    "BEGIN_CONVERSATION": "`agentmem chat add user TEXT`",
    "BEGIN_NAMED_CONVERSATION": "`agentmem chat new {id}`",
    "CHECK": "`agentmem doctor`",
    "CONVERSATIONS": "`agentmem chat list`",
    "CONVERSATIONS_ARCHIVED": "`agentmem chat list --archived`",
    "DOCUMENT_TEXT": "--text",
    "EXPORT": "`agentmem export`",
    "EXPORT_HISTORY": "--history",
    "FACTS": "`agentmem fact list`",
    "FILE": "the --db PATH",
    "FORCE": "--force",
    "GET": "`agentmem get {id}`",
    "HISTORY": "`agentmem history {id}`",
    "INDEX": "`agentmem index`",
    "INDEX_NOW": "agentmem index",
    "KEEP": "`--on-conflict keep`",
    "LIST": "`agentmem list`",
    "LIST_ARCHIVED": "`agentmem list --archived`",
    "LOCAL_EMBEDDER": "'local', in the shell by `agentmem config set embedding.provider local`",
    "MAKE_FOLDER": "mkdir -p {folder}",
    "MIGRATE": "`agentmem migrate --from`",
    "MODELS": "agentmem model list",
    "MODE_KEYWORD": "--mode keyword",
    "OFFLINE": "--offline",
    "PRUNE_EMPTY": "-y",
    "PULL_MODEL": "agentmem model pull {name}",
    "REEMBED": "`agentmem reembed`",
    "REEMBED_MULTILINGUAL": "agentmem reembed multilingual",
    "REEMBED_WITH": "agentmem reembed {provider} --model {model}",
    "RENAME_AGENT": "`agentmem agents rename`",
    "REOPEN": "`agentmem migrate --reopen`",
    "REPAIR": "`agentmem doctor --fix`",
    "REPLACE": "`replace`",
    "RERANK": "--rerank",
    "RESTORE": "`agentmem restore {id}`",
    "SALVAGE": "`agentmem doctor --salvage NEW`",
    "SCHEMA": "`agentmem sql --schema`",
    "SET_PREFERENCE": "`agentmem pref set CATEGORY TEXT`",
    "SET_WORKING": "`agentmem work set KEY VALUE`",
    "SHOW_DOCUMENT": "agentmem doc show {id}",
    "SHOW_SKILL": "`agentmem skill show {typed}`",
    "SKILLS": "`agentmem skill list`",
    "STATUS": "`agentmem status`",
    "STORE_TEXT": "pipe its text in",
    "TO_UTF8": "convert it, for example with iconv -t utf-8",
    "USE_BACKEND": "`agentmem config set backend {to}`",
    "USE_FILE": "`agentmem config set db {to}`",
    "USE_SKILL": "`agentmem skill used {typed}`",
    "VERIFY_MODEL": "`agentmem model verify {name}`",
    "WORKING_VALUES": "`agentmem work list`",
}
"""By act: what to type. The same acts as `agent_memory.hints.PYTHON`."""


def worded(text: str) -> str:
    """Return a text of the library as the shell says it."""
    return hints.worded(text, SHELL)


def told(error: Exception) -> str:
    """Return an error's message and hint as the shell says them."""
    return hints.Hint("{error}", error=error).worded(SHELL)
