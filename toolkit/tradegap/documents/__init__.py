"""First stage: files in, dated documents out, with what is not the article's prose marked.

`read_documents` reads files where they lie, and `iter_documents` one after another;
`add_documents` takes them into a negotiation's private folder, `load_documents` reads a
negotiation's notes and private documents, and `cluster_stories` tells which of them are the same
story.
"""

from tradegap.documents.model import Block, Document
from tradegap.documents.reading import iter_documents, read_documents
from tradegap.documents.store import add_documents, check_notes, load_documents
from tradegap.documents.stories import cluster_stories

__all__ = [
    "Block",
    "Document",
    "add_documents",
    "check_notes",
    "cluster_stories",
    "iter_documents",
    "load_documents",
    "read_documents",
]
