"""What every store must do.

Inherit the suite and give it one fixture, which returns a function: called with an agent's id it makes a store,
not yet opened. Called again with the same id it makes another handle on the same memories, where the backend
keeps them anywhere but in the object; another id is another agent on the same backend. What was kept is gone
after the test.

    class TestMyStore(StoreSuite):
        @pytest.fixture
        def store_factory(self, tmp_path):
            return lambda agent_id: MyStore(agent_id, path=tmp_path / f"{agent_id}.db")

An ability that a backend does not declare is tested too: asking for it has to raise a `CapabilityError` that
names the backend. The tests are coroutines for anyio's pytest plugin, so the project needs an `anyio_backend`
fixture that returns "asyncio".
"""

from agent_memory.testing.store.api import ApiTests
from agent_memory.testing.store.batches import BatchTests
from agent_memory.testing.store.closing import ClosingTests
from agent_memory.testing.store.contents import ContentTests
from agent_memory.testing.store.conversations import ConversationTests
from agent_memory.testing.store.documents import DocumentTests
from agent_memory.testing.store.filters import FilterTests
from agent_memory.testing.store.forgetting import ForgettingTests
from agent_memory.testing.store.given import GivenTests
from agent_memory.testing.store.history import HistoryTests
from agent_memory.testing.store.known import KnownTests
from agent_memory.testing.store.life import LifeTests
from agent_memory.testing.store.lines import LineTests
from agent_memory.testing.store.moving import MovingTests
from agent_memory.testing.store.pending import PendingTests
from agent_memory.testing.store.reading import ReadingTests
from agent_memory.testing.store.resolving import ResolvingTests, UnstorableTests
from agent_memory.testing.store.sharing import SharingTests
from agent_memory.testing.store.support import StoreFactory
from agent_memory.testing.store.vectors import VectorTests
from agent_memory.testing.store.word_forms import WordFormTests
from agent_memory.testing.store.words import WordTests
from agent_memory.testing.store.writing import WritingTests


class StoreSuite(
    LifeTests,
    ContentTests,
    WritingTests,
    KnownTests,
    GivenTests,
    HistoryTests,
    ReadingTests,
    FilterTests,
    ResolvingTests,
    UnstorableTests,
    WordTests,
    WordFormTests,
    VectorTests,
    PendingTests,
    MovingTests,
    ClosingTests,
    SharingTests,
    ConversationTests,
    ApiTests,
    DocumentTests,
    LineTests,
    BatchTests,
    ForgettingTests,
):
    """The tests that any store passes; subclasses give the fixture `store_factory`."""


__all__ = ["StoreFactory", "StoreSuite"]
