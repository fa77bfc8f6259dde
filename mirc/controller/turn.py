"""One turn of the controller's loop: observe, score, veto, schedule, execute, in this order."""

from mirc.controller.execute import carry_out
from mirc.controller.messages import DISPLACE, FETCH, TURN_DOWN, Order
from mirc.controller.observe import survey
from mirc.controller.schedule import MOST_FETCHES, MOST_TRIES, arrange
from mirc.controller.score import wanted
from mirc.controller.veto import judge
from mirc.kernels.events import NO_ROOM
from mirc.kernels.world import NONE, World


def look_ahead(w: World) -> None:
    """Queue the next prefetches, until the links have enough to do or one is turned down.

    At most ``MOST_FETCHES`` wishes are looked at, for each at most ``MOST_TRIES`` victims.
    """
    for _ in range(MOST_FETCHES):
        wish = wanted(w, survey(w))
        verdict = judge(w, survey(w), wish)
        order = arrange(w, verdict)
        tries = 0
        while order.act == DISPLACE:
            tries += 1
            if not carry_out(w, order) or tries == MOST_TRIES:
                order = Order(TURN_DOWN, order.object, NONE, NO_ROOM)
            else:
                order = arrange(w, judge(w, survey(w), wish))
        carry_out(w, order)
        if order.act != FETCH:
            return
