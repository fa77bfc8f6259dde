"""What a pool knows of one page, and of one tenant."""

import attrs
from attrs import validators as v


@attrs.frozen(kw_only=True)
class Tenant:
    """Who pays for pages: a hard ``quota`` in the pool's unit (None: no limit), and a priority.

    Tenants of one security ``domain`` share equal prefixes; those of different ones never do. When
    room is short the lowest ``priority`` yields first.
    """

    name: str
    quota: int | None = attrs.field(default=None, validator=v.optional(v.ge(0)))
    priority: int = 35
    domain: str = ""

    @property
    def shares_with(self) -> str:
        """The security domain; a tenant that names none is alone in its own."""
        return self.domain or f"tenant {self.name}"


@attrs.define(kw_only=True)
class Page:
    """One block of one group. ``tenant`` made it and pays for it, whoever reads it.

    ``parent`` is the page that it stands on (-1: none), ``children`` how many stand on it,
    ``near_children`` how many of those are near. ``ready`` says that its tokens were computed;
    ``live`` is the last hint; ``reader`` the first session, ``shared`` whether another came.
    """

    tenant: str
    parent: int
    near: bool = True
    ready: bool = False
    users: int = 0
    children: int = 0
    near_children: int = 0
    used_at: int = 0
    live: bool | None = None
    offered: bool = False
    reader: str = ""
    shared: bool = False

    def read_by(self, session: str) -> None:
        """Note a reader: a page that two sessions have read may be read by a third."""
        if not self.reader:
            self.reader = session
        elif session != self.reader:
            self.shared = True
