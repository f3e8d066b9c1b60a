"""Numbers of things in sentences: "1 sample", "2,000 samples"."""


def counted(n: int, thing: str) -> str:
    """A number with what it counts, in the plural but for one.

    >>> counted(1, "sample"), counted(2000, "sample")
    ('1 sample', '2,000 samples')
    """
    return f"{n:,} {thing}{'' if n == 1 else 's'}"
