"""Of the processes that decode images every strategy has as many per node."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.train.preparing import _share_of_workers, _workers_of_node
from engine.train.strategies.base import Feed
from engine.train.world import World


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 64), st.integers(2, 16))
def test_ranks_share_what_one_alone_would_have(workers: int, ranks: int) -> None:
    shares, told = [], set()
    for rank in range(ranks):
        world = World(rank, ranks, rank, ranks)
        feed = Feed(shard=rank, shards=ranks)
        shares.append(_share_of_workers(workers, world, feed))
        told.add(_workers_of_node(workers, world, feed))
    assert told == {sum(shares)}
    assert max(shares) - min(shares) <= 1
    if workers >= ranks or workers == 0:
        assert sum(shares) == workers
    else:
        assert shares == [1] * ranks


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 64))
def test_of_a_pipeline_the_first_stage_has_all(workers: int) -> None:
    first, last = World(0, 2, 0, 2), World(1, 2, 1, 2)
    assert _share_of_workers(workers, first, Feed()) == workers
    assert _share_of_workers(workers, last, Feed(images=False)) == 0
    assert _workers_of_node(workers, first, Feed()) == workers
