"""Export of a trained model: its encoder alone, an ONNX graph, or one Python file."""

from npae.storage.export.encoder import export_encoder
from npae.storage.export.onnx import export_onnx
from npae.storage.export.python import export_python

__all__ = ["export_encoder", "export_onnx", "export_python"]
