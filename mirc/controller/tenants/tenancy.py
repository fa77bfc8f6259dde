"""Tenants, their objects and one near memory: signed commands in, a chain of audit rows out."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

import attrs
from attrs import validators as v

from mirc.claims.admission import Pool, admit
from mirc.controller.tenants.commands import KEY_BYTES, Act, Command, Signed, is_authentic
from mirc.controller.tenants.domains import Place, may_meet, may_share, may_use


class Outcome(StrEnum):
    """What came of a command."""

    DONE = "DONE"
    NOTHING = "NOTHING"
    """It was so already."""
    FORGED = "FORGED"
    """No such tenant, or not signed with its key."""
    REPLAYED = "REPLAYED"
    """Its counter is not above that of the tenant's last command."""
    UNKNOWN = "UNKNOWN"
    """What it names does not exist."""
    FOREIGN = "FOREIGN"
    """What it names is another's."""
    CROSS_DOMAIN = "CROSS_DOMAIN"
    """It would let bytes of two security domains, or of two owners, meet."""
    DIFFERENT = "DIFFERENT"
    """The two objects do not hold the same bytes."""
    OVER_QUOTA = "OVER_QUOTA"
    """The tenant would hold more than its quota."""
    NO_ROOM = "NO_ROOM"
    """Near memory has no room."""


def _strong(_: object, __: object, key: bytes) -> None:
    if len(key) < KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes at least")


@attrs.frozen(kw_only=True)
class Tenant:
    """A holder of a key, a quota of near memory and a security domain."""

    name: str
    key: bytes = attrs.field(repr=False, validator=_strong)
    quota_bytes: int = attrs.field(validator=v.ge(0))
    domain: str | None = None


@attrs.frozen(kw_only=True)
class Thing:
    """One object: its owner (None: nobody's), its domain, its size and the digest of its bytes."""

    name: str
    size_bytes: int = attrs.field(validator=v.gt(0))
    tenant: str | None = None
    domain: str | None = None
    digest: str = ""

    @property
    def place(self) -> Place:
        """Whose it is, and in which domain."""
        return Place(self.tenant, self.domain)


@attrs.frozen(kw_only=True)
class Row:
    """One line of the audit log; ``chain`` is a digest of this row and of all before it."""

    number: int
    signed: Signed
    outcome: Outcome
    why: str
    chain: str


_Answer = tuple[Outcome, str]
_DONE: _Answer = (Outcome.DONE, "")


class Tenancy:
    """State of all tenants; every command is answered with a row, also one that is refused.

    A quota counts each copy near against the owner of its object, or, if it is nobody's, against
    the tenant that fetched it. A refused command changes nothing but the log, and, if it is
    authentic, the tenant's counter.
    """

    def __init__(
        self, capacity_bytes: int, tenants: Sequence[Tenant], things: Sequence[Thing]
    ) -> None:
        """Begin with nothing near; ValueError for a name given twice or an unknown owner."""
        self.capacity_bytes = capacity_bytes
        self.log: list[Row] = []
        self._tenants = {tenant.name: tenant for tenant in tenants}
        self._things = {thing.name: thing for thing in things}
        if len(self._tenants) < len(tenants) or len(self._things) < len(things):
            raise ValueError("a tenant or an object is there twice")
        for thing in things:
            owner = self._tenants.get(thing.tenant or "")
            if thing.tenant is not None and (owner is None or owner.domain != thing.domain):
                raise ValueError(f"{thing.name} is of no tenant of its domain")
        self._last = dict.fromkeys(self._tenants, -1)
        self._near: dict[str, str] = {}  # copy: who pays for it
        self._readers: dict[str, set[str]] = {}
        self._same: dict[str, str] = {}  # object: the one whose copy is its own too
        self._groups: dict[str, set[str]] = {}

    def submit(self, signed: Signed) -> Row:
        """Answer one command: proven, fresh, permitted, then done or refused; O(objects)."""
        outcome, why = self._answer(signed)
        before = self.log[-1].chain if self.log else ""
        line = f"{before} {signed.command.encoded().hex()} {signed.tag.hex()} {outcome}"
        row = Row(
            number=len(self.log),
            signed=signed,
            outcome=outcome,
            why=why,
            chain=hashlib.sha256(line.encode()).hexdigest(),
        )
        self.log.append(row)
        return row

    def read(self, tenant: str, name: str) -> int:
        """Return the bytes of an object that a tenant reads near; raises LookupError if it may not.

        Its own, nobody's in its domain, or what its owner shares with it.
        """
        reader, thing = self._tenants.get(tenant), self._things.get(name)
        if reader is None or thing is None or not self._readable(reader, thing):
            raise LookupError(f"{name} is not {tenant}'s to read")
        if self._copy(name) not in self._near:
            raise LookupError(f"{name} is not near")
        return thing.size_bytes

    def held_bytes(self, tenant: str) -> int:
        """Return what counts against a tenant's quota."""
        return sum(
            self._things[name].size_bytes for name, who in self._near.items() if who == tenant
        )

    def used_bytes(self) -> int:
        """Return what all copies near take."""
        return sum(self._things[name].size_bytes for name in self._near)

    def state_hash(self) -> str:
        """Return a digest of the state, and of the log that led to it."""
        lines = [
            *(f"last {name} {count}" for name, count in sorted(self._last.items())),
            *(f"near {name} {who}" for name, who in sorted(self._near.items())),
            *(f"readers {name} {sorted(who)}" for name, who in sorted(self._readers.items())),
            *(f"same {name} {kept}" for name, kept in sorted(self._same.items())),
            *(f"group {name} {sorted(mates)}" for name, mates in sorted(self._groups.items())),
            *(f"thing {name}" for name in sorted(self._things)),
            self.log[-1].chain if self.log else "",
        ]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    def _answer(self, signed: Signed) -> _Answer:
        command = signed.command
        tenant = self._tenants.get(command.tenant)
        if tenant is None or not is_authentic(tenant.key, signed):
            return Outcome.FORGED, "no tenant of that name signed it"
        last = self._last[tenant.name]
        if command.counter <= last:
            return Outcome.REPLAYED, f"its counter {command.counter} is not above {last}"
        self._last[tenant.name] = command.counter
        if command.act is Act.END:
            return self._end(tenant)
        thing = self._things.get(command.object)
        if thing is None:
            return Outcome.UNKNOWN, "there is no such object"
        acts: dict[Act, Callable[[Tenant, Thing, Command], _Answer]] = {
            Act.FETCH: self._fetch,
            Act.EVICT: self._evict,
            Act.SHARE: self._share,
            Act.DEDUPLICATE: self._deduplicate,
            Act.JOIN: self._join,
        }
        return acts[command.act](tenant, thing, command)

    def _fetch(self, tenant: Tenant, thing: Thing, _: Command) -> _Answer:
        """Bring a whole coalition near, or nothing of it."""
        if not may_use(Place(tenant.name, tenant.domain), thing.place):
            return self._not_ours(tenant, thing)
        members = {self._copy(name) for name in self._groups.get(thing.name, {thing.name})}
        missing = sorted(members - self._near.keys())
        if not missing:
            return Outcome.NOTHING, "it is near"
        need = sum(self._things[name].size_bytes for name in missing)
        if self.held_bytes(tenant.name) + need > tenant.quota_bytes:
            return Outcome.OVER_QUOTA, f"{need} bytes more exceed its {tenant.quota_bytes}"
        used = self.used_bytes()
        pool = Pool(
            capacity=self.capacity_bytes,
            must_hold=used,
            free=max(0, self.capacity_bytes - used),
        )
        if not admit(need, pool).admitted:
            return Outcome.NO_ROOM, f"{need} bytes more exceed {self.capacity_bytes}"
        self._near.update(dict.fromkeys(missing, tenant.name))
        return _DONE

    def _evict(self, tenant: Tenant, thing: Thing, _: Command) -> _Answer:
        payer = self._near.get(self._copy(thing.name))
        if not may_use(Place(tenant.name, tenant.domain), thing.place):
            return self._not_ours(tenant, thing)
        if payer is None:
            return Outcome.NOTHING, "it is not near"
        if payer != tenant.name:
            return Outcome.FOREIGN, f"{payer} holds it"
        del self._near[self._copy(thing.name)]
        return _DONE

    def _share(self, tenant: Tenant, thing: Thing, command: Command) -> _Answer:
        if thing.tenant != tenant.name:
            return self._not_ours(tenant, thing)
        other = self._tenants.get(command.other)
        if other is None:
            return Outcome.UNKNOWN, "there is no such tenant"
        if not may_share(thing.place, Place(other.name, other.domain)):
            return Outcome.CROSS_DOMAIN, f"{other.name} is in another domain"
        self._readers.setdefault(thing.name, set()).add(other.name)
        return _DONE

    def _deduplicate(self, tenant: Tenant, thing: Thing, command: Command) -> _Answer:
        refused = self._pair(tenant, thing, command)
        if refused is not None:
            return refused
        other = self._things[command.other]
        if thing.name == other.name or self._copy(thing.name) == self._copy(other.name):
            return Outcome.NOTHING, "they are one already"
        if not thing.digest or (thing.digest, thing.size_bytes) != (other.digest, other.size_bytes):
            return Outcome.DIFFERENT, "they do not hold the same bytes"
        kept, gone = self._copy(thing.name), self._copy(other.name)
        payer = self._near.pop(gone, None)
        if payer is not None:
            self._near.setdefault(kept, payer)
        for name, copy in [*self._same.items(), (gone, gone)]:
            if copy == gone:
                self._same[name] = kept
        return _DONE

    def _join(self, tenant: Tenant, thing: Thing, command: Command) -> _Answer:
        refused = self._pair(tenant, thing, command)
        if refused is not None:
            return refused
        mates = self._groups.get(thing.name, {thing.name})
        mates = mates | self._groups.get(command.other, {command.other})
        for name in mates:
            self._groups[name] = mates
        return _DONE

    def _pair(self, tenant: Tenant, thing: Thing, command: Command) -> _Answer | None:
        """Return why two objects may not meet, or None."""
        if thing.tenant != tenant.name:
            return self._not_ours(tenant, thing)
        other = self._things.get(command.other)
        if other is None:
            return Outcome.UNKNOWN, "there is no such other object"
        if not may_meet(thing.place, other.place):
            return Outcome.CROSS_DOMAIN, f"{other.name} is of another owner or domain"
        return None

    def _end(self, tenant: Tenant) -> _Answer:
        mine = {name for name, thing in self._things.items() if thing.tenant == tenant.name}
        self._near = {n: who for n, who in self._near.items() if who != tenant.name}
        self._readers = {
            n: who - {tenant.name} for n, who in self._readers.items() if n not in mine
        }
        self._same = {name: kept for name, kept in self._same.items() if name not in mine}
        self._groups = {name: mates for name, mates in self._groups.items() if name not in mine}
        self._things = {name: thing for name, thing in self._things.items() if name not in mine}
        del self._tenants[tenant.name], self._last[tenant.name]
        return _DONE

    def _copy(self, name: str) -> str:
        return self._same.get(name, name)

    def _readable(self, reader: Tenant, thing: Thing) -> bool:
        shared = reader.name in self._readers.get(thing.name, ())
        return shared or may_use(Place(reader.name, reader.domain), thing.place)

    def _not_ours(self, tenant: Tenant, thing: Thing) -> _Answer:
        if thing.domain != tenant.domain:
            return Outcome.CROSS_DOMAIN, "it is in another domain"
        return Outcome.FOREIGN, f"it is {thing.tenant or 'nobody'}'s"


def replay(
    capacity_bytes: int, tenants: Sequence[Tenant], things: Sequence[Thing], rows: Iterable[Row]
) -> Tenancy:
    """Submit again what a log says; raises ValueError at the first row that was changed."""
    again = Tenancy(capacity_bytes, tenants, things)
    for row in rows:
        if again.submit(row.signed) != row:
            raise ValueError(f"row {row.number} does not replay")
    return again
