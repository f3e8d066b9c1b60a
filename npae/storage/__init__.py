"""Models as files: saving, reading, limits for files from strangers, other libraries' weights, and export."""

from npae.storage.model_file import StoredModel, common_record, fingerprint, read, save

__all__ = ["StoredModel", "common_record", "fingerprint", "read", "save"]
