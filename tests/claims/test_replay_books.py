"""Books that differ in anything have another digest, and equal ones the same."""

from mirc.claims.events import State
from mirc.claims.replay import Books, books


def held(state: State = State.ACCEPTED, claimed: int = 0) -> Books:
    return books({"prompt": state}, {}, {}, claimed)


def test_the_digest_tells_books_apart_by_all_that_they_say() -> None:
    digests = {held().digest, held(State.RELEASED).digest, held(claimed=1).digest}
    assert len(digests) == 3
    assert held().digest in digests
    assert all(len(digest) == 64 for digest in digests)
