"""Information retrieval: an index of codes with exact nearest-neighbour search.

``index`` is the index itself, ``nearest`` its search, ``index_file`` its file; ``precision`` measures how good the
search is.
"""

from npae.applications.retrieval.index import Index
from npae.applications.retrieval.nearest import METRICS
from npae.applications.retrieval.precision import HEADER, compare, precision_at

__all__ = ["HEADER", "METRICS", "Index", "compare", "precision_at"]
