"""A control group's quota counts as processors do, in whole ones."""

import pytest

from npae.kernels import default_kernels, reference_kernels
from npae.kernels.execution import thread_team
from npae.kernels.execution.processors import quota, usable_processors


@pytest.mark.parametrize(
    ("content", "expected"),
    [("max 100000\n", None), ("50000 100000\n", 1), ("150000 100000\n", 2), ("400000 100000\n", 4), ("nonsense", None)],
)
def test_a_quota_of_version_2_is_rounded_up(tmp_path, content, expected):
    (tmp_path / "cpu.max").write_text(content)
    assert quota(tmp_path) == expected


@pytest.mark.parametrize(("allowed", "expected"), [("-1", None), ("250000", 3)])
def test_a_quota_of_version_1_is_rounded_up(tmp_path, allowed, expected):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(allowed)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert quota(tmp_path) == expected


@pytest.mark.parametrize(
    ("own", "parent", "expected"),
    [("400000", "150000", 2), ("150000", "400000", 2), ("max", "100000", 1), ("max", "max", None)],
)
@pytest.mark.parametrize("version", [1, 2])
def test_the_lowest_quota_of_nested_groups_counts(tmp_path, own, parent, expected, version):
    top = tmp_path if version == 2 else tmp_path / "cpu"
    for group, allowed in ((top / "a" / "b", own), (top / "a", parent)):
        group.mkdir(parents=True, exist_ok=True)
        if version == 2:
            (group / "cpu.max").write_text(f"{allowed} 100000\n")
        else:
            (group / "cpu.cfs_quota_us").write_text("-1" if allowed == "max" else allowed)
            (group / "cpu.cfs_period_us").write_text("100000")
    membership = tmp_path / "cgroup"
    membership.write_text("3:cpuset:/x\n0::/a/b\n" if version == 2 else "7:memory:/z\n4:cpu,cpuacct:/a/b\n")
    assert quota(tmp_path, membership) == expected
    membership.write_text("")
    assert quota(tmp_path, membership) is None


def test_without_control_groups_there_is_no_quota(tmp_path):
    assert quota(tmp_path) is None
    assert usable_processors() >= 1


@pytest.mark.skipif(default_kernels() is reference_kernels(), reason="there are no threads then")
def test_threads_that_cannot_run_or_start_are_done_without_with_the_same_bits(monkeypatch):
    import numpy as np

    from npae import VanillaAutoencoder

    X = np.random.default_rng(0).random((40, 6), dtype=np.float32)

    def codes() -> bytes:
        model = VanillaAutoencoder(code_size=2, epochs=2, batch_size=8, n_jobs=2, random_state=0).fit(X)
        return model.transform(X).tobytes()

    before = codes()

    def refuse(self: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(thread_team, "usable_processors", lambda: 2)
        patch.setattr(thread_team, "_teams", {})
        patch.setattr("threading.Thread.start", refuse)
        with pytest.warns(RuntimeWarning, match="only 1 of 2 threads can be used") as told:
            assert codes() == before
    assert len(told) == 1
    monkeypatch.setattr(thread_team, "usable_processors", lambda: 1)
    monkeypatch.setattr(thread_team.ThreadTeam, "_started", lambda self, plans: pytest.fail("threads were used"))
    assert codes() == before
