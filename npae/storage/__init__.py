"""Models as files: saving, reading, limits on untrusted files, other libraries' weights, and export."""

from npae.storage.model_file import StoredModel, common_record, fingerprint, read, save

__all__ = ["StoredModel", "common_record", "fingerprint", "read", "save"]
