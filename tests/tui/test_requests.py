"""What was asked about a queue: one request at a time, and the order that comes of them."""

from __future__ import annotations

from tui.requests import Request, Requests


def move(run: str, place: int) -> Request:
    return Request(action="move", strategy=run, run=run, place=place, asked=0.0)


def test_the_next_request_waits_for_the_answer() -> None:
    requests = Requests()
    one, two = move("a", 1), move("b", 0)
    requests.ask(one)
    assert requests.next() == one
    requests.ask(two)
    assert requests.next() is None
    assert list(requests.pending) == [one, two]
    requests.answered(1.0)
    assert requests.next() == two
    assert list(requests.pending) == [two]


def test_a_run_that_is_moved_again_goes_in_one_step() -> None:
    requests = Requests()
    requests.ask(move("a", 1))
    requests.next()
    for place in (2, 3, 4):
        requests.ask(move("a", place))
    assert [each.place for each in requests.pending] == [1, 4]
    assert requests.of("a") == move("a", 4)
    requests.ask(move("b", 0))
    requests.ask(move("a", 3))
    assert [each.run for each in requests.pending] == ["a", "a", "b", "a"], "b came between"


def test_the_order_is_the_one_that_was_asked_for() -> None:
    requests = Requests()
    requests.ask(move("c", 0))
    requests.ask(move("a", 2))
    assert requests.order(("a", "b", "c"), 0.0) == ("c", "b", "a")


def test_an_answer_holds_until_the_journal_has_it_and_a_refusal_does_not() -> None:
    for refused, expected in ((False, ("b", "a")), (True, ("a", "b"))):
        requests = Requests()
        requests.ask(move("b", 0))
        requests.next()
        requests.answered(100.0, refused=refused)
        assert requests.order(("a", "b"), 100.1) == expected
        assert requests.order(("a", "b"), 102.0) == ("a", "b"), "by then the journal knows"


def test_a_run_that_began_meanwhile_is_not_moved() -> None:
    requests = Requests()
    requests.ask(move("a", 1))
    assert requests.order(("b", "c"), 0.0) == ("b", "c")
