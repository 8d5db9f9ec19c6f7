"""How much of the evidence stands in a packed recall, against plain rankings cut off at the same number of tokens."""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from agent_memory.recall.formats import gathered, writer
from agent_memory.recall.packing import PackedItem
from agent_memory.records import MemoryRecord
from agent_memory.text.tokens import estimate_tokens
from benchmarks.recall.baselines import Baselines
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.product import NAME, Product, Setup
from benchmarks.recall.questions import QuestionSet

BUDGETS = (300, 500, 1000, 2000)
Shares = Mapping[str, Mapping[int, float]]


async def measure(questions: QuestionSet, embedder: CachedEmbedder) -> Shares:
    """Return, by system and budget, the mean share of the gold items that stand whole in the text.

    The baselines pay for the bare text of each item and a line break, the library for all that it writes. Its own
    ranking is cut off both ways.
    """
    shares: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, agent in enumerate(questions.agents, 1):
        texts = {item.id: item.text for item in agent.items}
        plain = Baselines(agent, embedder)
        await plain.open()
        with tempfile.TemporaryDirectory() as folder:
            product = Product(agent, embedder, Path(folder), Setup())
            await product.open()
            for question in agent.questions:
                if not question.gold:
                    continue
                rankings = await plain.rank(question)
                ours = await product.ask(question)
                rankings[f"{NAME}, cut off"] = ours.ranked
                for budget in BUDGETS:
                    for system, ranked in rankings.items():
                        kept = _cut_off(ranked, texts, budget)
                        shares[system][budget].append(len(kept & question.gold) / len(question.gold))
                    framed = set(ours.ranked[: _framed(ours.records, budget)])
                    shares[f"{NAME}, cut off as written"][budget].append(
                        len(framed & question.gold) / len(question.gold)
                    )
                    packed = await product.recall(question, budget)
                    shares[f"{NAME}, packed"][budget].append(len(packed & question.gold) / len(question.gold))
            await product.close()
        plain.close()
        print(f"\r{questions.name}, packed: {number} of {len(questions.agents)} agents", end="", flush=True)
    print()
    return {
        system: {budget: statistics.mean(entry) for budget, entry in by_budget.items()}
        for system, by_budget in shares.items()
    }


def _cut_off(ranked: Sequence[str], texts: Mapping[str, str], budget: int) -> set[str]:
    kept: set[str] = set()
    for candidate in ranked:
        budget -= estimate_tokens(texts[candidate]) + 1
        if budget < 0:
            break
        kept.add(candidate)
    return kept


def _framed(records: Sequence[MemoryRecord], budget: int) -> int:
    """Return how many of the first memories a recall's text holds whole, written as a recall writes them."""
    markdown = writer("markdown")
    items: list[PackedItem] = []
    for record in records:
        items.append(PackedItem(record, record.content, "full", 0))
        ordered = [item for group in gathered(items) for item in group]
        if estimate_tokens(markdown.write(ordered, NAME)) > budget:
            return len(items) - 1
    return len(items)


def lines(shares: Shares) -> Iterable[str]:
    """Write the shares as a table for people, in percent."""
    yield f"{'share of the evidence in':28}" + "".join(f"{budget:>9,}" for budget in BUDGETS) + "  tokens"
    for system, by_budget in shares.items():
        yield f"{system:28}" + "".join(f"{100 * by_budget[budget]:>9.1f}" for budget in BUDGETS)
