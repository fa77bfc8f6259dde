"""Options of the test run, and how Hypothesis draws in it."""

import pytest
from hypothesis import settings

from tests.nightly import by_night

# A busy machine is no failure: no example has a time limit.
settings.register_profile("mirc", deadline=None, max_examples=by_night(60, 300))
settings.load_profile("mirc")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bless",
        action="store_true",
        help="rewrite the expected half of golden cases with what came out",
    )
