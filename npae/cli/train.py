"""npae train: train a model; writes the model, its history and pictures.

The options of each type are the parameters of its estimator: their names, types, defaults and descriptions are read
from the class, so that command line and Python always agree.
"""

import argparse
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from npae.cli.arguments import MODEL_FILE, count, seed_number
from npae.cli.data_labels import add_labels, labels_of_data
from npae.cli.history_file import HistoryFile
from npae.cli.open_data import add_large_data, first_of, open_described
from npae.cli.option_names import described
from npae.cli.output import write_bytes
from npae.cli.paths import add_output
from npae.cli.ranks import add_ranks
from npae.cli.room_on_disk import look_at_room
from npae.cli.sides import LABELS_NEEDED
from npae.cli.tensorboard_events import FOLDER as TENSORBOARD
from npae.cli.tensorboard_events import EventFile, require_tensorboard
from npae.cli.watch_page import NAME as WATCH
from npae.cli.watch_page import WatchPage
from npae.estimators import ESTIMATORS, AutoencoderEstimator
from npae.estimators.parameters import Parameter, parameters_of
from npae.training.checkpoint import Checkpoints
from npae.training.nan_diagnosis import FILE as DIAGNOSIS
from npae.training.nan_diagnosis import save_diagnosis
from npae.training.trainer import Callback, Training
from npae.utils.console import is_silent, say, shows_progress
from npae.utils.errors import MissingExtraError, NonFiniteError
from npae.utils.scikit_learn import has_sklearn
from npae.utils.sources import Source
from npae.utils.types import Array
from npae.utils.wording import counted

MODEL, HISTORY, PICTURES = MODEL_FILE, "history.csv", ("losses.svg", "reconstructions.png")
CHECKPOINTS = "checkpoints"
HELP = "train an autoencoder and save it"
EXAMPLE = "npae train variational --data digits --code-size 16 --epochs 20"


SEED_HELP = "Seed of weights, order and noise: the same number gives the same result. (default: 0)"


def _int_or_none(text: str) -> int | None:
    return None if text.lower() == "none" else int(text)


def _float_or_none(text: str) -> float | None:
    return None if text.lower() == "none" else float(text)


class _NumbersOrNone(argparse.Action):
    """Whole numbers, or the word none in their place."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        setattr(namespace, self.dest, None if values == [None] else values)


def _number_or_pair(text: str) -> float | tuple[float, ...]:
    numbers = tuple(float(part) for part in text.split(","))
    return numbers if len(numbers) > 1 else numbers[0]


#: Arguments of ``add_argument`` for each kind of parameter.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "bool": {"action": argparse.BooleanOptionalAction},
    "int": {"type": int, "metavar": "N"},
    "int or pair of int": {"type": int, "metavar": "N"},
    "int or None": {"type": _int_or_none, "metavar": "N"},
    "float": {"type": float, "metavar": "X"},
    "float or pair of float": {"type": _number_or_pair, "metavar": "X|LOW,HIGH"},
    "float or None": {"type": _float_or_none, "metavar": "X"},
    "sequence of int": {"type": int, "nargs": "*", "metavar": "N"},
    "sequence of int or None": {"type": _int_or_none, "action": _NumbersOrNone, "nargs": "*", "metavar": "N"},
    "str": {"metavar": "NAME"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """TYPE --data --out --force, checkpoints, and the type's parameters."""
    types = parser.add_subparsers(dest="type", required=True, metavar="TYPE")
    for name, cls in ESTIMATORS.items():
        summary = cls.summary.replace("``", "")
        subparser = types.add_parser(
            name, help=summary, description=summary, example=f"npae train {name} --data digits"
        )
        add_large_data(subparser, default="digits", nargs="+")
        add_output(
            subparser,
            "--out",
            declared={"is_folder": True, "files": _files, "is_own": _is_of_resumed_run, "advice": _advice},
            default=f"runs/{name}",
            metavar="RUN",
            help=f"the folder to write (default: runs/{name})",
        )
        _add_checkpoints(subparser)
        _add_views(subparser)
        add_ranks(
            subparser, f"train in all processes that mpiexec has started: mpiexec -n 2 npae train {name} --ranks mpi"
        )
        if "conditional" in cls().get_params():
            add_labels(subparser, "with --conditional")
        _add_parameters(subparser, cls)


def run(args: argparse.Namespace) -> int:
    """Train, then write model.safetensors, history.csv and pictures; returns 130 where Ctrl-C stopped the training."""
    if args.resume and args.force:
        raise ValueError("--resume goes on with the run that --force would replace; give one of the two")
    cls = ESTIMATORS[args.type]
    params = {name: getattr(args, name) for name in cls().get_params() if hasattr(args, name)}
    model = cls(**{"verbose": shows_progress(), **params})
    X, metadata = open_described(args)
    labels = _labels(args, len(X))
    folder = Path(args.out)
    checkpoints = _checkpoints(args, folder)
    history = HistoryFile(folder / HISTORY)

    def write() -> None:
        if getattr(model, "history_", None) and not is_silent():
            model.metadata_ = metadata
            _write_model(folder, model, history)
            if args.force:
                _remove_replaced(folder, keeps_checkpoints=checkpoints is not None)
            _write_pictures(folder, model, X, labels)

    views = _Views(args, model, X, labels)
    callbacks: list[Callback] = [] if is_silent() else [partial(_after_epoch, history), views.write]
    try:
        model.fit(X, labels, checkpoints=checkpoints, callbacks=callbacks, ranks=args.ranks)
    except BaseException as error:  # it leaves what the complete epochs have learned
        views.end(model, f"ended by an error ({type(error).__name__})")
        with suppress(OSError):  # where nothing can be written, what came first is said
            write()
        if (
            isinstance(error, NonFiniteError) and checkpoints is None and not is_silent()
        ):  # else it is told of beside these
            raise save_diagnosis(error, folder) from error
        raise
    views.end(model, "interrupted" if model.training_.interrupted else "done")
    write()
    if model.n_iter_ == 0:
        say("no epoch was complete, so no model was saved")
    return 130 if model.training_.interrupted else 0


def _after_epoch(history: HistoryFile, training: Training) -> None:
    history.write(training.history)
    if training.epoch == 1:
        look_at_room(training, history.path.parent)


class _Views:
    """The page of --watch and the events of --tensorboard, where they are asked for.

    Parameters
    ----------
    args : Namespace
    model : estimator
    X, labels : as ``fit`` takes them
    """

    def __init__(
        self, args: argparse.Namespace, model: AutoencoderEstimator, X: Array | Source, labels: Array | None
    ) -> None:
        if args.tensorboard:
            require_tensorboard()
        folder, is_wanted = Path(args.out), not is_silent()
        if args.force and is_wanted:  # those of an earlier run
            for path in (folder / WATCH, *_events_in(folder)):
                path.unlink(missing_ok=True)
        self.page = WatchPage(folder / WATCH, model, X, labels) if args.watch and is_wanted else None
        self.events = EventFile(folder / TENSORBOARD) if args.tensorboard and is_wanted else None
        if self.page is not None:
            say(f"to watch: open {self.page.path} in a browser, once the first epoch is over")

    def write(self, training: Training) -> None:
        """After an epoch."""
        if self.page is not None:
            self.page.write(training.history)
        if self.events is not None:
            self.events.write(training.history)

    def end(self, model: AutoencoderEstimator, how: str) -> None:
        """The last state stays."""
        if self.page is not None and getattr(model, "history_", None):
            self.page.write(model.history_, ended=how)
        if self.events is not None:
            self.events.close()


def _labels(args: argparse.Namespace, n: int) -> Array | None:
    """The labels of a conditional model, which needs them."""
    if not getattr(args, "conditional", False):
        if getattr(args, "data_labels", None) is not None:
            raise ValueError("--labels was given without --conditional, which alone has a use for them; give both")
        return None
    labels = labels_of_data(args, n)
    if labels is None:
        raise ValueError(f"--conditional needs a label for each sample; {LABELS_NEEDED} (--labels)")
    return labels


def _add_views(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--watch",
        action="store_true",
        help=f"write RUN/{WATCH}, a page that loads itself anew: losses, reconstructions, time left",
    )
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help=f"write the history as TensorBoard's event files into RUN/{TENSORBOARD}; needs npae[tensorboard]",
    )


def _add_checkpoints(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint-every",
        metavar="N|TIME",
        help='write all that the run needs to go on into RUN/checkpoints, every N epochs or every "90s", "10m", "2h"',
    )
    parser.add_argument(
        "--keep-checkpoints", type=count, default=3, metavar="K", help="keep the last K of them (default: 3)"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on from the newest checkpoint in RUN, or begin where there is nothing; the other options as before",
    )


def _checkpoints(args: argparse.Namespace, folder: Path) -> Checkpoints | None:
    if args.checkpoint_every is None and not args.resume:
        return None
    checkpoints = Checkpoints(
        folder / CHECKPOINTS,
        every=args.checkpoint_every or 1,
        keep=args.keep_checkpoints,
        resume=args.resume,
        replace=args.force,
    )
    if args.resume:
        newest = checkpoints.paths()[-1:]
        say(f"going on from {newest[0]}" if newest else f"{checkpoints.folder} is empty: training begins")
    return checkpoints


def _files(args: argparse.Namespace, folder: Path) -> list[Path]:
    """What a run writes into its folder, and the checkpoints of one that was there before."""
    names = (MODEL, HISTORY, *PICTURES, DIAGNOSIS, WATCH)
    return [*(folder / name for name in names), *_events_in(folder), *_checkpoints_in(folder)]


def _events_in(folder: Path) -> list[Path]:
    return sorted((folder / TENSORBOARD).glob("events.out.tfevents.*"))


def _checkpoints_in(folder: Path) -> list[Path]:
    return Checkpoints(folder / CHECKPOINTS).paths()


def _is_of_resumed_run(args: argparse.Namespace, path: Path) -> bool:
    """Whether ``--resume`` goes on with a run that wrote the file: from a checkpoint, or before there was any."""
    folder = Path(args.out)
    has_begun = (folder / CHECKPOINTS).is_dir() and not (folder / MODEL).exists()
    return bool(args.resume) and (bool(_checkpoints_in(folder)) or has_begun)


def _advice(args: argparse.Namespace) -> str:
    if args.resume:
        return "there is no checkpoint to go on from, so give another folder"
    return "give another folder" + (", --resume to go on with that run" if _checkpoints_in(Path(args.out)) else "")


def _write_model(folder: Path, model: AutoencoderEstimator, history: HistoryFile) -> None:
    if has_sklearn():
        model.code_mixture_  # noqa: B018 (fitted here, so that it is in the file and `npae sample` can draw from it)
    model.verbose = False  # of this run on this terminal, not of the model
    model.save(folder / MODEL)
    history.write(model.history_)
    names = MODEL + (f", {HISTORY}" if history.is_complete else "")
    say(f"loss {model.history_['loss'][-1]:.4g} after {counted(model.n_iter_, 'epoch')}; {folder}/{names}")


def _remove_replaced(folder: Path, keeps_checkpoints: bool) -> None:
    """Remove what an earlier run left that this one may not write; ``Checkpoints`` replaces its own."""
    for name in (*PICTURES, DIAGNOSIS):
        (folder / name).unlink(missing_ok=True)
    if not keeps_checkpoints:
        Checkpoints(folder / CHECKPOINTS).remove()


def _write_pictures(folder: Path, model: AutoencoderEstimator, X: Array | Source, labels: Array | None) -> None:
    from npae.utils import charts, pictures

    losses, reconstructions = PICTURES
    try:
        written = {losses: charts.losses({type(model).__name__: model.history_}).encode()}
        few = first_of(X, 16)
        if pictures.are_images(few):
            y = None if labels is None else labels[:16]
            written[reconstructions] = pictures.png(pictures.rows(few, model.reconstruct(few, y)))
    except MissingExtraError as error:
        say(f"no pictures: {error}")
        return
    for name, content in written.items():
        write_bytes(folder / name, content)
    say(f"pictures: {', '.join(str(folder / name) for name in written)}")


def _add_parameters(parser: argparse.ArgumentParser, cls: type[AutoencoderEstimator]) -> None:
    options = {parameter.name: "--" + parameter.name.replace("_", "-") for parameter in parameters_of(cls)}
    for parameter in parameters_of(cls):
        option = options[parameter.name]
        # SUPPRESS keeps an option that is not given out of the namespace, so that the estimator's default applies.
        common: dict[str, Any] = {
            "dest": parameter.name,
            "default": argparse.SUPPRESS,
            "help": _help(parameter, options),
        }
        if parameter.name == "random_state":
            parser.add_argument("--seed", type=seed_number, metavar="N", **{**common, "default": 0, "help": SEED_HELP})
        elif parameter.name == "verbose":
            text = "Show a progress bar. (default: on terminals)"
            parser.add_argument(option, action=argparse.BooleanOptionalAction, **{**common, "help": text})
        else:
            parser.add_argument(option, **ARGUMENTS[parameter.kind], **common)


def _help(parameter: Parameter, options: dict[str, str]) -> str:
    text = f"{parameter.description} (default: {_as_typed(parameter)})"
    return described(text, options).replace("%", "%%")  # argparse formats help texts with the % operator


def _as_typed(parameter: Parameter) -> str:
    """A default as it is written on the command line."""
    default = parameter.default
    if isinstance(default, bool):
        return f"--{'' if default else 'no-'}{parameter.name.replace('_', '-')}"
    return " ".join(map(str, default)) if isinstance(default, tuple) else str(default)
