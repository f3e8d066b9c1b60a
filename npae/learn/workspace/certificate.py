"""certificate.html: what a learner has passed, and pictures made with the learner's own gradients."""

import base64
from collections.abc import Iterator
from html import escape
from pathlib import Path

import numpy as np

from npae.datasets import load_digits
from npae.learn.catalogue.catalogue import exercises
from npae.learn.catalogue.exercise import Exercise
from npae.learn.workspace import milestones, progress
from npae.utils.pictures import grid, is_of_npae, png
from npae.utils.randomness import generator
from npae.utils.types import Array
from npae.utils.version import __version__
from npae.utils.wording import counted

NAME = "certificate.html"
DIGITS = "digits.png"  # what the learner's variational autoencoder draws
DRAWN = 60
TITLE = "npae learn: every gradient by hand"
MARK = f"<title>{TITLE}</title>"
STYLE = (
    "body{font:17px/1.6 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
    "img{max-width:100%;image-rendering:pixelated}figure{margin:1.5rem 0}figcaption{color:#555}"
)
READ_NEXT = (
    "<a href='https://arxiv.org/abs/1312.6114'>Kingma and Welling, Auto-Encoding Variational Bayes</a>: the paper of "
    "exercise 20",
    "<a href='https://cs231n.github.io/optimization-2/'>CS231n, Backpropagation, Intuitions</a>: the chain rule in "
    "other words",
    "docs/reading.md of npae: how its own layers, kernels and training do what you did, and the order to read them in",
    "<code>npae gradcheck</code>: the checker of these exercises, for your own layers and PyTorch functions",
)


def drawn_digits(parameters: dict[str, Array], scale: int = 3) -> bytes:
    """A PNG of digits that the decoder of a variational autoencoder makes of random codes."""
    z = generator(0, "learn drawn").standard_normal((DRAWN, len(parameters["b_mu"])))
    h = np.maximum(z @ parameters["W2"] + parameters["b2"], 0)
    p = 0.5 * (1 + np.tanh(0.5 * (h @ parameters["W3"] + parameters["b3"])))
    return png(grid(p.reshape(DRAWN, *load_digits().test_images.shape[1:]), columns=milestones.SHOWN), scale)


def is_certificate(path: Path) -> bool:
    """Whether ``page`` made a file."""
    with path.open("rb") as file:
        return MARK.encode() in file.read(1000)


def page(folder: Path) -> str:
    """The page as HTML text, with the pictures that lie in the learner's folder."""
    p = progress.load(folder)
    body = [f"<h1>{TITLE}</h1>", *_counts(p), *_pictures(folder, p)]
    body += ["<h2>What to read next</h2>", "<ul>", *(f"<li>{text}</li>" for text in READ_NEXT), "</ul>"]
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8">{MARK}<style>{STYLE}</style>\n'
        + "\n".join(body)
        + f"\n<p>npae {escape(__version__)}</p>\n</html>\n"
    )


def _counts(p: progress.LearnerProgress) -> Iterator[str]:
    numbered = [e for e in exercises() if e.number]
    sides = [e for e in exercises() if not e.number]
    passed = sum(p.passed(e.name) for e in numbered)
    records = [p.records[e.name] for e in exercises() if e.name in p.records]
    met = sum(len(record.mistakes) for record in records)
    mended = sum(len(record.mistakes) for record in records if record.status == "passed")
    others = f"{sum(p.passed(e.name) for e in sides)} of {len(sides)} bug hunts and fools"
    yield f"<p>{passed} of {len(numbered)} exercises passed, and {others}.</p><ul>"
    yield f"<li>{counted(sum(record.attempts for record in records), 'check')}</li>"
    yield f"<li>{counted(sum(record.hints for record in records), 'hint')}</li>"
    yield f"<li>{counted(met, 'known mistake')} met, {mended} of them mended</li></ul>"


def _pictures(folder: Path, p: progress.LearnerProgress) -> Iterator[str]:
    if (folder / DIGITS).is_file() and is_of_npae(folder / DIGITS):
        yield _figure(folder / DIGITS, "Digits that no hand wrote: drawn by your variational autoencoder")
    for exercise in exercises():
        if exercise.milestone:
            yield from _milestone(folder, p, exercise)


def _milestone(folder: Path, p: progress.LearnerProgress, exercise: Exercise) -> Iterator[str]:
    path = folder / f"{exercise.name}.png"
    if not p.passed(exercise.name):
        yield f"<p>{escape(exercise.title)} ({exercise.number}): not passed yet.</p>"
    elif path.is_file() and is_of_npae(path):
        yield _figure(path, f"{exercise.number}. {exercise.title}: digits of other writers, and your reconstructions")
    else:
        yield (
            f"<p>{escape(exercise.title)} ({exercise.number}): passed, without a picture; "
            f"<code>npae learn check {exercise.name}</code> trains it.</p>"
        )


def _figure(path: Path, text: str) -> str:
    content = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure><img alt="{escape(text)}" src="data:image/png;base64,{content}">'
        f"<figcaption>{escape(text)}</figcaption></figure>"
    )
