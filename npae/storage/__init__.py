"""Models as files: saving, reading, limits on untrusted files, other libraries' weights, and export."""

from npae.network.saving import save
from npae.storage.model_file import StoredModel, fingerprint, read
from npae.utils import safetensors

__all__ = ["StoredModel", "fingerprint", "read", "safetensors", "save"]
