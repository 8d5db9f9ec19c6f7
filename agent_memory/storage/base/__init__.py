"""The contract between the library and a store: a store retrieves candidates, the core scores.

`Store` is what every store can do. What only some can do stands in classes of their own: `KeywordStore`,
`VectorStore` and `JournalStore`; `FullStore` has all three. A backend derives from what it can do and fills the
hooks, whose names begin with an underscore; the public methods check and normalise. A caller that needs an ability
asks for it with `keyword_store`, `vector_store` or `journal_store`, which refuse by name what a store lacks.
Nothing is silently ignored.

Rules that every backend keeps, and that the suite in `agent_memory.testing.store` checks:

* What `commit` returned for is stored, and found by the next read of anybody.
* A commit is all or nothing where `transactions` is declared; elsewhere a failed one says what it left.
* A read sees only its own agent's memories, and never waits for a writer.
* An expired memory is never returned unless `Where.expired` asks for it.
* No retrieval returns fewer memories because of a filter: what cannot be pushed down is filtered after
  fetching until `limit` are found or nothing is left.

A store that can refuse the writes of other processes fills `_set_moved`, and reads the mark in the transaction of
each write: then an agent in use can be moved away from it.

Export, import and migration need no hook of their own for writing: what is taken over from another store comes
as changes through `commit`, and the plan tells what to write. Beyond every other write it has:

* `Plan.usage`: the accesses of inserted memories, for a backend that counts them;
* `JournalEntry.at`: for a backend with a journal, the time that `Version.at` gives for this entry instead of its
  operation's `started_at`.
"""

from agent_memory.storage.base.abilities import FullStore, journal_store, keyword_store, vector_store
from agent_memory.storage.base.capabilities import Capabilities
from agent_memory.storage.base.description import Durability, Repair, StoreDescription
from agent_memory.storage.base.journal import JournalStore
from agent_memory.storage.base.keyword import KeywordStore
from agent_memory.storage.base.ordering import (
    Group,
    GroupBy,
    Order,
    OrderBy,
    check_group,
    check_order,
    check_slice,
    unique,
)
from agent_memory.storage.base.spaces import EmbeddingSpace
from agent_memory.storage.base.store import Store, paged
from agent_memory.storage.base.vector import VectorStore

__all__ = [
    "Capabilities",
    "Durability",
    "EmbeddingSpace",
    "FullStore",
    "Group",
    "GroupBy",
    "JournalStore",
    "KeywordStore",
    "Order",
    "OrderBy",
    "Repair",
    "Store",
    "StoreDescription",
    "VectorStore",
    "check_group",
    "check_order",
    "check_slice",
    "journal_store",
    "keyword_store",
    "paged",
    "unique",
    "vector_store",
]
