from mirc.kernels import events
from mirc.kernels.events import EVENT, Kind, Reason

# Constants whose name another kind of thing has in the kernels.
RENAMED = {"HOME": "HOME_EVENT", "STEP": "STEP_EVENT", "KEEP": "KEEP_EVENT"}


def test_the_numbers_that_kernels_write_are_those_of_the_enums() -> None:
    for member in (*Kind, *Reason):
        assert getattr(events, RENAMED.get(member.name, member.name)) == member.value


def test_an_event_has_nine_whole_numbers() -> None:
    assert EVENT.itemsize == 9 * 8
