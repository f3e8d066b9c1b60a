"""After a pass of npae learn: the training of a milestone, its pictures, and the certificate."""

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from npae.learn.catalogue.exercise import Exercise
    from npae.learn.workspace.workspace import Workspace
    from npae.utils.types import Array


def say(text: str, whole_lines: bool = False) -> None:
    """Print a text in characters that the terminal can show."""
    from npae.learn.judging.messages import write

    write(sys.stdout, text, whole_lines)


def train(workspace: "Workspace", exercise: "Exercise") -> None:
    """Train an autoencoder with the learner's gradients, and write a picture of its reconstructions."""
    from npae.cli.output import write_bytes
    from npae.learn.sandbox.process import Limits, Worker
    from npae.learn.workspace import milestones
    from npae.utils import pictures
    from npae.utils.errors import MissingExtraError

    say("")
    path = workspace.folder / f"{exercise.name}.png"
    no_picture = ""
    try:
        pictures.require_pillow()
    except MissingExtraError as error:
        no_picture = f"no picture: {error}; then check again"
    if path.exists() and not (path.is_file() and pictures.is_of_npae(path)):
        no_picture = f"no picture: {path.name} is there already, and npae did not draw it; move it, and check again"
    if no_picture:
        say(no_picture)
    is_last, adam = exercise.name == milestones.last().name, workspace.own_adam()
    try:
        with ExitStack() as held:
            limits = Limits(seconds=milestones.SECONDS)
            worker = held.enter_context(Worker(workspace.path(exercise), limits))
            # It gets every gradient of ten steps with each call.
            slower = Limits(seconds=3 * milestones.SECONDS)
            own = held.enter_context(Worker(adam, slower)) if is_last and adam else None
            epochs = milestones.train(exercise, worker, adam_caller=own)
            parameters = milestones.tell(exercise, epochs, say, own_adam=own is not None)
    except milestones.TrainingError as error:
        say(f"the training stopped: {error}")
        return
    if no_picture:
        return
    write_bytes(path, milestones.picture(exercise, parameters))
    if "b_mu" in parameters:
        _draw(workspace, parameters)
    shown = ", below them what the network is shown," if milestones.corrupts(exercise) else ","
    say(f"{path.name} has digits of other writers{shown} and at the bottom what your network makes of them.\n")


def _draw(workspace: "Workspace", parameters: "dict[str, Array]") -> None:
    """Write a picture of digits that the learner's variational autoencoder draws."""
    from npae.cli.output import write_bytes
    from npae.learn.workspace import certificate
    from npae.utils import pictures

    path = workspace.folder / certificate.DIGITS
    if path.exists() and not (path.is_file() and pictures.is_of_npae(path)):
        say(f"{path.name} is there already, and npae did not draw it; move it, and check again to see drawn digits")
        return
    write_bytes(path, certificate.drawn_digits(parameters))
    say(f"{path.name} has digits that your autoencoder draws of random codes.")


def certificate(workspace: "Workspace") -> int:
    """Write the page that says what the learner has passed."""
    from npae.cli.output import write_bytes
    from npae.learn.workspace import certificate as page

    path = workspace.folder / page.NAME
    if path.exists() and not page.is_certificate(path):
        say(f"{path.name} is there already, and npae did not write it; move it, and run this again")
        return 1
    content = page.page(workspace.folder)
    write_bytes(path, content.encode())
    pictures = ", with the pictures that your gradients made" if "<figure>" in content else ""
    say(f"{path.name} says what you have passed{pictures}. Open it in a browser.")
    return 0
