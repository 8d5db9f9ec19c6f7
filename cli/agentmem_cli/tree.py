"""The tree of commands: what there is, in which order help shows it, and in which file each lives.

Commands are imported when they run. So that `--help` needs none of them, each one's first line of help stands
here as well; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """One command."""

    summary: str
    reads: bool = False
    """It changes nothing, so an agent without a file is answered as an empty one, and none is made."""
    alias_of: str | None = None


class Noun(NamedTuple):
    """A group of commands about one thing."""

    summary: str
    verbs: Mapping[str, Entry]


Tree = Mapping[str, Entry | Noun]

SECTIONS: Mapping[str, Tree] = {
    "Every day": {
        "add": Entry("Store a memory and print its id."),
        "search": Entry("Find memories by words and meaning together, best first.", reads=True),
        "recall": Entry("Pack what matters into a prompt of a given size.", reads=True),
        "get": Entry("Show memories by id, unique prefix of an id, or key.", reads=True),
        "list": Entry("List memories, newest first.", reads=True),
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
                "set": Entry("Set a working-memory value, replacing the one that was there."),
                "get": Entry("Print a working-memory value.", reads=True),
                "list": Entry("List working memory.", reads=True),
                "extend": Entry("Let a short-term memory live longer."),
                "clear": Entry("Put working-memory values away; `agentmem undo` brings them back."),
            },
        ),
        "fact": Noun(
            "Long-term memory: facts.",
            {
                "add": Entry("Store a fact."),
                "list": Entry(
                    "List facts, newest first; with tags, those that have any of them.", reads=True
                ),
                "update": Entry("Store a new version of a fact."),
                "dupes": Entry("Show facts that say nearly the same, and merge them if asked to."),
            },
        ),
        "pref": Noun(
            "Long-term memory: preferences.",
            {
                "set": Entry("Store a preference."),
                "list": Entry("List preferences.", reads=True),
            },
        ),
        "chat": Noun(
            "Conversations: who said what.",
            {
                "add": Entry("Add a message at the end of a conversation."),
                "last": Entry("Show the last turns.", reads=True),
                "show": Entry("Show a conversation's messages, oldest first.", reads=True),
                "list": Entry("List conversations.", reads=True),
                "new": Entry("Begin a conversation."),
                "switch": Entry("Use another conversation from now on."),
                "summarize": Entry("Summarise a conversation."),
                "delete": Entry("Put a conversation away."),
            },
        ),
        "event": Noun(
            "Episodic memory: what happened.",
            {
                "add": Entry("Record something that happened."),
                "recent": Entry("Show recent events.", reads=True),
                "failed": Entry("Show events that went wrong.", reads=True),
                "succeeded": Entry("Show events that went well.", reads=True),
                "similar": Entry("Find similar events.", reads=True),
                "timeline": Entry("Show events in order.", reads=True),
            },
        ),
        "doc": Noun(
            "Semantic memory: knowledge and documents.",
            {
                "add": Entry(
                    "Store a document, in chunks that the embedding model reads whole; print their ids."
                ),
                "list": Entry("List documents.", reads=True),
                "show": Entry("Show a document.", reads=True),
                "related": Entry("Find related knowledge.", reads=True),
            },
        ),
        "skill": Noun(
            "Procedural memory: skills and workflows.",
            {
                "add": Entry("Store a skill."),
                "find": Entry("Find skills for a situation.", reads=True),
                "used": Entry("Count a use of a skill."),
                "list": Entry("List skills.", reads=True),
                "show": Entry("Show a skill.", reads=True),
            },
        ),
    },
    "Looking back and upkeep": {
        "history": Entry("List a memory's versions, oldest first.", reads=True),
        "log": Entry("List the latest commands that changed something.", reads=True),
        "undo": Entry("Take back the latest commands."),
        "status": Entry("Say how things stand.", reads=True),
        "stats": Entry("Count what there is.", reads=True),
        "index": Entry("Embed what is owed."),
        "reembed": Entry("Embed everything anew."),
    },
    "Setting up": {
        "agents": Noun(
            "The agents that have a memory here.",
            {
                "list": Entry("List every agent.", reads=True),
                "show": Entry("Show one agent.", reads=True),
                "rename": Entry("Rename an agent."),
                "rm": Entry("Delete an agent."),
            },
        ),
        "config": Noun(
            "Settings.",
            {
                "show": Entry("Show settings.", reads=True),
                "get": Entry("Print one setting's value; nothing if it is not set.", reads=True),
                "set": Entry("Set a setting in the user's config file; its comments stay.", reads=True),
                "path": Entry("Print where the user's config file is, or would be.", reads=True),
                "edit": Entry(
                    "Open the user's config file in VISUAL or EDITOR, and check it afterwards.", reads=True
                ),
                "trust": Entry("Trust a project file.", reads=True),
            },
        ),
        "model": Noun(
            "Embedding models.",
            {
                "list": Entry("List models.", reads=True),
                "pull": Entry(
                    "Download a model into the cache folder, or what is missing of it, and check it."
                ),
                "path": Entry("Print where a model is.", reads=True),
                "verify": Entry("Check a model's files.", reads=True),
            },
        ),
        "completion": Entry("Print a completion script.", reads=True),
        "help": Entry("Show help.", reads=True),
        "version": Entry("Print the version.", reads=True),
    },
}

HIDDEN: Tree = {
    "remember": Entry("The same as `add`.", alias_of="add"),
    "delete": Entry("The same as plain `forget`.", alias_of="forget"),
    "rm": Entry("The same as plain `forget`.", alias_of="forget"),
}

COMMANDS: Tree = {name: entry for section in SECTIONS.values() for name, entry in section.items()}
