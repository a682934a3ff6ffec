"""The library's search: typed words and claims of labels as the index narrows by them."""

from __future__ import annotations

from core.injection.reading.reader import OfflineReader
from core.labels.published.label_file import LabelSet
from core.labels.published.label_index import Claim
from core.references.reference import Sought
from core.references.table import ReferenceTable
from core.references.vocabulary import Vocabulary
from core.search.query import Part, QueryReader


class LibrarySearch:
    """Turns what is searched for into what a `Filter` holds; for any number of threads."""

    def __init__(self, vocabulary: Vocabulary, prompts: OfflineReader) -> None:
        self._queries = QueryReader(vocabulary, prompts)

    def sought(self, text: str, labels: LabelSet, table: ReferenceTable) -> tuple[Sought, ...]:
        """What each part of a query is found by: words of keys, tags, roles, and what current labels say."""
        return tuple(_sought_by(part, labels, table) for part in self._queries.read(text))

    def claimed(self, claim: Claim, labels: LabelSet, table: ReferenceTable) -> Sought:
        """The pictures whose current label makes the claim."""
        return _sought_by(Part((), claim=claim), labels, table)


def _sought_by(part: Part, labels: LabelSet, table: ReferenceTable) -> Sought:
    if part.claim is None:
        return Sought(part.words, role=part.role, tone=part.tone, angle=part.angle)
    disputed = table.with_bytes(labels.disputed) if labels.disputed else ()
    keys = frozenset(ref.key for ref in labels.select(part.claim, disputed))
    return Sought(part.words, at_word_start=True, etags=labels.etags_claiming(part.claim), keys=keys)
