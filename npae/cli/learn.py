"""npae learn: twenty exercises, from the chain rule to a variational autoencoder, with checks that name mistakes."""

import argparse

HELP = "learn backpropagation: exercises whose checks name your mistake"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A verb of its own for each thing to do."""
    verbs = parser.add_subparsers(dest="learn_verb", required=True, metavar="VERB")
    dev = verbs.add_parser("dev", help="write exercises of your own", description="Write exercises of your own.")
    dev_verbs = dev.add_subparsers(dest="dev_verb", required=True, metavar="VERB")
    check = dev_verbs.add_parser(
        "check",
        help="is an exercise fit for learners?",
        description="Its stub must fail, its reference pass with 20 seeds, and every known mistake be caught by name.",
    )
    check.add_argument("folders", nargs="*", metavar="FOLDER", help="with exercise.toml, stub.py, reference.py, …")
    check.add_argument("--all", action="store_true", help="all built-in exercises")


def run(args: argparse.Namespace) -> int:
    """0 where all is well, 1 where something is to be mended."""
    from npae.cli.output import table
    from npae.learn import catalogue, develop

    folders = [*args.folders, *(catalogue.folders() if args.all else [])]
    if not folders:
        raise ValueError("no exercise is named; give its FOLDER, or --all for those that come with npae")
    rows, faults = [], []
    for folder in folders:
        f = develop.check(folder)
        rows.append(
            (
                f.name,
                f.stub,
                f"{f.passes} of {develop.SEEDS}",
                f"{f.caught} of {f.mistakes}",
                f"{f.named} of {f.mistakes}",
                f"{f.seconds:.2f} s",
            )
        )
        faults += [f"{f.name}: {fault}" for fault in f.faults]
    print(table(("exercise", "stub", "reference passes", "caught", "named", "a check"), rows))
    print("\n".join(["", *faults]) if faults else "\nall fit")
    return 1 if faults else 0
