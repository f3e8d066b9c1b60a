"""Model files: the parameters of a network by name, and its description as JSON, in a safetensors file."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from npae.datasets.music.layout import Layout
from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.network.autoencoder import Autoencoder
from npae.network.saving import FORMAT, columns_key, plain
from npae.storage.limits import check_buffers, check_record
from npae.utils import safetensors
from npae.utils.columns import Columns
from npae.utils.errors import FileFormatError, one_line, quoted
from npae.utils.types import Array, Shape
from npae.utils.validation import refuse_non_finite
from npae.utils.version import __version__
from npae.utils.wording import counted

#: Limits of a training history: columns, and characters of a column's name.
MOST_COLUMNS, LONGEST_NAME = 100, 60
LONGEST_REASON = 300  # characters of the reason in an error message


def fingerprint(net: Autoencoder) -> str:
    """A fingerprint of the layers, the shape and the parameters of a built network.

    Parameters
    ----------
    net : Autoencoder
        Built.

    Returns
    -------
    str
        32 hexadecimal digits, the same for the same network on every machine.

    Examples
    --------
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense
    >>> from npae.storage import fingerprint
    >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,), seed=0)
    >>> other = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,), seed=1)
    >>> len(fingerprint(net)), fingerprint(net) == fingerprint(other)
    (32, False)
    """
    digest = hashlib.blake2b(digest_size=16)
    description = [net.config(), net.input_shape, net.arena.dtype.name]
    digest.update(json.dumps(description, default=plain, sort_keys=True).encode())
    for name, value, _ in net.arena.parameters():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def read(path: str | Path) -> "StoredModel":
    """Read a model file, without building the network.

    Besides the limits of ``npae.utils.safetensors.read``, there are at most 1,000 layers, 32 axes, integers below
    2⁶⁴, 16 levels of nested tables, and, when the network is built, 16 GiB of buffers for one sample, which is more
    than a convolutional network needs for images of 1024×1024×3. Then every parameter of the description must also be
    in the file, in the right shape and dtype, and finite. Nothing in a file is executed.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    StoredModel

    Raises
    ------
    FileNotFoundError
    FileFormatError
        If the file is truncated, damaged, or no npae model.

    Examples
    --------
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense
    >>> from npae.storage import read
    >>> Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,)).save("net.safetensors")
    >>> stored = read("net.safetensors")
    >>> stored.record["input_shape"], len(stored.arrays)
    ([5], 4)
    """
    arrays, metadata = safetensors.read(path)
    try:
        record = json.loads(metadata["npae"])
        version = record["format"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise FileFormatError(f"{path} is a safetensors file, but no npae model; give one that npae saved") from None
    if version != FORMAT:
        raise FileFormatError(
            f"{path} has format {quoted(version)}, but npae {__version__} reads format {FORMAT}; use the one that "
            f"wrote it"
        )
    stored = StoredModel(Path(path), arrays, record)
    with stored.errors_as_file_errors():
        check_record(record)
    return stored


@dataclass
class StoredModel:
    """The content of a model file, before it is validated by building from it.

    Parameters
    ----------
    path : Path
        The file, for messages.
    arrays : dict of str to ndarray
        The parameters by name, and what else the file holds.
    record : dict
        The description: the network, the shape of a sample, the dtype, the seed and the step, and what an estimator
        adds.

    Examples
    --------
    >>> import npae
    >>> from npae.layers import Dense
    >>> npae.Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,), seed=7).save("net.safetensors")
    >>> stored = npae.storage.read("net.safetensors")
    >>> stored.network().code_shape, stored.seed(), stored.metadata(), stored.columns()
    ((2,), 7, {}, None)
    >>> stored.array("encoder.0.W", (5, 2), "float32").shape
    (5, 2)
    """

    path: Path
    arrays: dict[str, Array]
    record: dict[str, Any]

    def network(self, layers: Iterable[type[Layer]] = ()) -> Autoencoder:
        """Build the network.

        Parameters
        ----------
        layers : iterable of Layer classes, default none
            Your own layer classes, if the network has any.

        Returns
        -------
        Autoencoder

        Raises
        ------
        KeyError, TypeError, ValueError
            If the description is not complete or not valid, or a parameter is missing.
        """
        net = Autoencoder.from_config(self.record["network"], layers)
        net.plan(self.record["input_shape"], seed=self.record["seed"], dtype=self.record["dtype"])
        self.fill(net.arena)
        net.run.step = self.record["step"]
        net.columns = self.columns()
        return net

    def columns(self) -> Columns | None:
        """The columns that the model was fitted to.

        Returns
        -------
        Columns or None
            As many texts as a sample has values; None where the samples were no dataframe.

        Raises
        ------
        ValueError
            If what stands there are not as many texts.
        """
        for are_names in (True, False):
            if (key := columns_key(are_names)) in self.record:
                labels, n = self.record[key], prod(self.record["input_shape"])
                if not isinstance(labels, list) or len(labels) != n or not all(isinstance(v, str) for v in labels):
                    raise ValueError(f"the feature names are not {counted(n, 'text')}")
                return Columns(tuple(labels), are_names)
        return None

    def fill(self, arena: Arena) -> None:
        """Allocate the planned network and copy its parameters from the file.

        Parameters
        ----------
        arena : Arena
            That of the network.

        Raises
        ------
        ValueError
            If a parameter is missing, does not fit or is not finite, or the buffers would take more than 16 GiB a
            sample.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> from npae.storage import read
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,), seed=0)
        >>> net.save("net.safetensors")
        >>> other = Autoencoder([Dense(2)], [Dense(5)], loss="mse")
        >>> other.plan((5,), seed=1)
        >>> read("net.safetensors").fill(other.arena)
        >>> bool((other.theta == net.theta).all())
        True
        """
        check_buffers(arena)
        found = {name: self.array(name, shape, arena.dtype) for name, shape in arena.parameter_shapes().items()}
        for name, values in found.items():
            refuse_non_finite(values, f"the array {name!r}")
        arena.allocate()
        for name, parameter, _ in arena.parameters():
            parameter[...] = found[name]

    def array(self, name: str, shape: Shape, dtype: Any) -> Array:
        """An array of the file, checked.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : dtype
            Those that it must have.

        Returns
        -------
        ndarray

        Raises
        ------
        ValueError
            If it is missing, or has another shape or dtype.
        """
        found = self.arrays.get(name)
        if found is None or found.shape != shape or found.dtype != dtype:
            there = "is missing" if found is None else f"is {found.dtype} of shape {found.shape}"
            raise ValueError(f"the array {name!r} {there}, where {np.dtype(dtype)} of shape {shape} was expected")
        return found

    def seed(self) -> int:
        """The seed of the run that produced the model.

        Returns
        -------
        int
        """
        seed: int = self.record["seed"]
        return seed

    def history(self) -> dict[str, list[float]]:
        """The training history.

        Returns
        -------
        dict of str to list of float
            For each name one number for each epoch.

        Raises
        ------
        KeyError
            If the file holds a network only.
        ValueError
            If what stands there is no table of numbers with a column "loss".

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> from npae.storage import read
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> npae.VanillaAutoencoder(code_size=2, epochs=2, random_state=0).fit(X).save("model.safetensors")
        >>> len(read("model.safetensors").history()["loss"])
        2
        """
        history = self.record["history"]
        columns = list(history.values())
        if len(columns) > MOST_COLUMNS or not all(n.isidentifier() and len(n) <= LONGEST_NAME for n in history):
            raise ValueError(f"the history is not a table of up to {MOST_COLUMNS} columns with names")
        if len({len(column) for column in columns}) > 1 or (columns and "loss" not in history):
            raise ValueError("the history is not a table with one row an epoch")
        if not all(isinstance(column, list) and all(isinstance(v, int | float) for v in column) for column in columns):
            raise ValueError("the history is not a table of numbers")
        return dict(history)

    def metadata(self) -> dict[str, Any]:
        """What the samples mean, by subject; empty where the file does not say.

        A layout of music fits the shape of the samples.

        Returns
        -------
        dict of str to object

        Raises
        ------
        ValueError
            If what stands there is no table, or a layout of music that does not fit.
        """
        metadata = self.record.get("metadata", {})
        if not isinstance(metadata, dict):
            raise ValueError("the metadata is no table")
        layout = Layout.from_metadata(metadata)
        if layout is not None and layout.shape != tuple(self.record["input_shape"]):
            raise ValueError(f"its music has bars of shape {layout.shape}, and its samples another")
        return metadata

    @contextmanager
    def errors_as_file_errors(self) -> Iterator[None]:
        """Context that turns errors raised inside into a FileFormatError that names the file.

        Yields
        ------
        None

        Raises
        ------
        FileFormatError

        Examples
        --------
        >>> from pathlib import Path
        >>> from npae.storage import StoredModel
        >>> stored = StoredModel(Path("net.safetensors"), {}, {})
        >>> with stored.errors_as_file_errors():
        ...     stored.network()
        Traceback (most recent call last):
        npae.utils.errors.FileFormatError: net.safetensors holds a model that cannot be rebuilt: 'network' is missing
        """
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            reason = one_line(f"{error} is missing" if isinstance(error, KeyError) else error, LONGEST_REASON)
            raise FileFormatError(f"{self.path} holds a model that cannot be rebuilt: {reason}") from error
