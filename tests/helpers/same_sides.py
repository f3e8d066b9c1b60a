"""Tests in which the same few samples serve as both sides, of which a hint speaks."""

import pytest

SAME_SIDES = pytest.mark.filterwarnings("ignore:.* are in .*, too:npae.errors.Hint")
