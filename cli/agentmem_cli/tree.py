"""The tree of commands: what there is, in which order help shows it, and in which file each lives.

Commands are imported when they run. So that `--help` needs none of them, each one's first line of help stands
here as well; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """One command."""

    summary: str
    stores: bool = False
    """It may store the first memory or a choice, so it makes an agent's file. To all others an agent without one is
    empty."""
    alias_of: str | None = None


class Noun(NamedTuple):
    """A group of commands about one thing."""

    summary: str
    verbs: Mapping[str, Entry]
    verb_meant: str | None = None
    """The verb that the noun by itself stands for."""


Tree = Mapping[str, Entry | Noun]

SECTIONS: Mapping[str, Tree] = {
    "Every day": {
        "add": Entry("Store a memory and print its id.", stores=True),
        "search": Entry("Find memories by words and meaning together, best first."),
        "recall": Entry("Pack what matters into a prompt of a given size."),
        "get": Entry("Show memories by id, unique prefix of an id, or key."),
        "list": Entry("List memories, newest first."),
        "update": Entry("Store a new version of a memory; what is not given stays as it is."),
        "pin": Entry("Mark memories as ones that always count."),
        "unpin": Entry("Take the mark of `pin` off again."),
        "forget": Entry("Put memories away; `restore` brings them back."),
        "restore": Entry("Bring forgotten memories back as they were."),
    },
    "The six kinds of memory": {
        "work": Noun(
            "Working memory: values for the task at hand.",
            {
                "set": Entry("Set a working-memory value, replacing the one that was there.", stores=True),
                "get": Entry("Print a working-memory value."),
                "list": Entry("List the working-memory values that are set, newest first."),
                "extend": Entry("Let a short-term memory live longer; by the usual time, if none is given."),
                "clear": Entry("Put working-memory values away; `agentmem undo` brings them back."),
            },
        ),
        "fact": Noun(
            "Long-term memory: facts.",
            {
                "add": Entry(
                    "Store a fact; one that is known already keeps its id and gains the tags.", stores=True
                ),
                "list": Entry("List facts, newest first; with tags, those that have any of them."),
                "update": Entry("Store a new version of a fact; the old one stays in its history."),
                "dupes": Entry("Show facts that say the same, and similar ones; merge the same if asked to."),
            },
        ),
        "pref": Noun(
            "Long-term memory: preferences.",
            {
                "set": Entry(
                    "Set a preference, in place of the one that was set for that category.", stores=True
                ),
                "list": Entry("List preferences, newest first."),
            },
        ),
        "chat": Noun(
            "Conversations: who said what.",
            {
                "add": Entry("Add a message at the end of a conversation.", stores=True),
                "last": Entry("Show the last turns: what the user said, and what the assistant answered."),
                "show": Entry("Show a conversation's newest messages, oldest of them first."),
                "list": Entry("List the conversations, the one most recently written to first."),
                "new": Entry("Begin a conversation, use it from now on, and print its id.", stores=True),
                "switch": Entry("Use another conversation from now on, where none is named."),
                "summarize": Entry("Summarise a conversation by its most telling sentences."),
                "delete": Entry("Put a conversation away, its summary too; `agentmem undo` brings it back."),
            },
        ),
        "event": Noun(
            "Episodic memory: what happened.",
            {
                "add": Entry("Record something that happened.", stores=True),
                "recent": Entry("Show the events of the last hours, latest first."),
                "failed": Entry("Show the events that went wrong, latest first."),
                "succeeded": Entry("Show the events that went well, latest first."),
                "similar": Entry("Find events like the one described, by words and by meaning, best first."),
                "timeline": Entry("Show events in the order in which they happened."),
            },
        ),
        "doc": Noun(
            "Semantic memory: knowledge and documents.",
            {
                "add": Entry(
                    "Store documents, or bring them up to date, and print the ids of their chunks.",
                    stores=True,
                ),
                "list": Entry("List documents and single pieces of knowledge, newest first."),
                "show": Entry("Print a document, all of it."),
                "related": Entry("Find knowledge near a piece of it in meaning, nearest first."),
            },
        ),
        "skill": Noun(
            "Procedural memory: skills and workflows.",
            {
                "add": Entry("Store a skill: how something is done, in a text or in steps.", stores=True),
                "find": Entry("Find the skills that a situation calls for, best first."),
                "used": Entry("Count one use of a skill, and whether it worked."),
                "list": Entry(
                    "List skills: newest first, or the most used, or those that have proved themselves."
                ),
                "show": Entry("Show a skill: how it is done, when, and how well it has worked."),
            },
        ),
    },
    "Looking back and upkeep": {
        "history": Entry("List a memory's versions, oldest first."),
        "log": Entry("List the latest commands that changed something."),
        "undo": Entry("Take back the latest commands."),
        "status": Entry(
            "Say how things stand: the file, how it is searched, the embedder, and what is not embedded yet."
        ),
        "stats": Entry("Count what there is by type, age and tag, with a small chart."),
        "doctor": Entry(
            "Compare everything in the store that must agree; exit code 5 if something does not."
        ),
        "index": Entry("Embed what is not embedded yet, so that it is found by meaning too."),
        "reembed": Entry("Embed everything with another embedder, then switch to it.", stores=True),
        "sql": Entry("Query the memory file in SQL, for reading only."),
        "export": Entry("Write all memories as lines of JSON, archived ones too."),
        "import": Entry("Take over what `export` wrote: ids, versions, times and all.", stores=True),
        "migrate": Entry("Copy everything of one agent, or of many, into another store, and compare both."),
    },
    "Setting up": {
        "agents": Noun(
            "The agents that have a memory here.",
            {
                "list": Entry("List the agents that have a file here, or that the server in use keeps."),
                "show": Entry("Show one agent's file: where it is, what is in it, and what embedded it."),
                "rename": Entry("Give an agent another name, in its file and as its file's name."),
                "rm": Entry("Delete an agent with everything that is kept of it. This cannot be undone."),
            },
        ),
        "config": Noun(
            "Settings.",
            {
                "show": Entry("Show every setting with its value; passwords are shown as ***."),
                "get": Entry("Print one setting's value; nothing if it is not set."),
                "set": Entry("Set a setting in the user's config file; its comments stay."),
                "path": Entry("Print where the user's config file is, or would be."),
                "edit": Entry("Open the user's config file in VISUAL or EDITOR, and check it afterwards."),
                "trust": Entry("Let this project's .agentmem.toml decide where memory goes."),
            },
        ),
        "model": Noun(
            "Models that embed and rerank.",
            {
                "list": Entry(
                    "List the models known by name, to embed or to rerank with, and which of them are here."
                ),
                "pull": Entry(
                    "Download a model into the cache folder, or what is missing of it, and check it."
                ),
                "path": Entry("Print the folder of a model on this machine."),
                "verify": Entry("Check a model's weights from end to end, and print their sha256."),
            },
        ),
        "mcp": Entry("Serve an agent's memory as tools by the Model Context Protocol, on stdin and stdout."),
        "warm": Noun(
            "A process that stays and answers commands at once; by itself it starts.",
            {
                "start": Entry(
                    "Start a process that stays and answers commands at once, until 15 minutes pass without one."
                ),
                "status": Entry(
                    "Say whether the warm process runs, since when, what it takes, and what it has answered."
                ),
                "stop": Entry(
                    "End the warm process; commands that it is in the middle of are finished first."
                ),
            },
            verb_meant="start",
        ),
        "storage": Noun(
            "Servers that keep the memories.",
            {
                "distribute": Entry(
                    "Print the SQL that distributes the tables over several servers with Citus; run none of it."
                ),
            },
        ),
        "completion": Entry("Print a shell's completion script; its first lines say where to put it."),
        "help": Entry("Show the help of a command; with --json the whole tree."),
        "version": Entry("Print the version."),
    },
}

HIDDEN: Tree = {
    "remember": Entry("The same as `add`.", alias_of="add"),
    "delete": Entry("The same as plain `forget`.", alias_of="forget"),
    "rm": Entry("The same as plain `forget`.", alias_of="forget"),
}

COMMANDS: Tree = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


def entry_of(words: Sequence[str]) -> Entry | None:
    """Return the command that words call, the one that is meant where they call it by another name.

    Args:
        words: the words behind the program's name, such as `chat` and `add`.

    Returns:
        The command; None where there is none.
    """
    node: Entry | Noun | Mapping[str, Entry | Noun] | None = {**HIDDEN, **COMMANDS}
    for word in words:
        entry = node.get(word) if isinstance(node, Mapping) else None
        node = entry.verbs if isinstance(entry, Noun) else entry
    if isinstance(node, Entry) and node.alias_of is not None:
        return entry_of([*words[:-1], node.alias_of])
    return node if isinstance(node, Entry) else None
