"""Declarations into whose they are, and into the first two that must not meet."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mirc.ir.module import Block, Claim, Module
from mirc.ir.places import Mark
from mirc.ir.resolve import read
from mirc.lint.context import Context

Member = tuple[str, Mark]
SAYS = ("security_domain", "tenant_id")


class Owner(NamedTuple):
    """Whose an object is: its tenant and its security domain, its own or the tenant's."""

    tenant: str | None
    domain: str | None

    def parted_from(self, other: "Owner") -> tuple[str, str] | None:
        """Return words for what parts the two, or None where nothing is known to."""
        if self.domain and other.domain and self.domain != other.domain:
            return f"domain `{self.domain}`", f"domain `{other.domain}`"
        if self.tenant and other.tenant and self.tenant != other.tenant:
            return f"tenant `{self.tenant}`", f"tenant `{other.tenant}`"
        return None


def owner_of(module: Module, block: Block) -> Owner:
    """Return whose a declaration is; a part of it that nobody says is None."""
    tenant = text_of(block, "tenant_id")
    domain = text_of(block, "security_domain") if type(block) is not Claim else None
    holder = module.tenants.get(tenant or "")
    return Owner(tenant, domain or (holder and text_of(holder, "security_domain")) or None)


def text_of(block: Block, key: str) -> str | None:
    """Return a name that a block gives, or None."""
    found: str | None = read(block, key)
    return found


def owners_of(context: Context) -> dict[str, Owner]:
    """Return whose each object is that says so."""
    return {
        scope.name: owner_of(context.module, scope.declaration)
        for scope in context.where(*SAYS)
        if scope.is_declared
    }


def named_in(context: Context, block: Block, key: str) -> Iterator[Member]:
    """Yield what a list of a coalition or claim names, family by family, and where."""
    for place, name in enumerate(read(block, key) or ()):
        for part in context.module.parts(name):
            yield part, Mark(block, key, (place,))


def hinting_at(context: Context, key: str) -> dict[str, list[Member]]:
    """Return which objects say that they belong to a coalition or claim, by its name."""
    found: dict[str, list[Member]] = {}
    for scope in context.where(key):
        names = scope.written(key)
        for name in names if isinstance(names, tuple) else (names,):
            found.setdefault(name, []).append((scope.name, Mark(scope.nearest, key)))
    return found


def first_parted(
    members: Iterable[Member], owners: dict[str, Owner]
) -> tuple[Member, Member, tuple[str, str]] | None:
    """Return the first two members that must not meet, and what parts them."""
    tenant: Member | None = None
    domain: Member | None = None
    for member in members:
        own = owners.get(member[0])
        if own is None:
            continue
        for earlier in (domain, tenant):
            words = owners[earlier[0]].parted_from(own) if earlier is not None else None
            if earlier is not None and words is not None:
                return earlier, member, words
        domain = domain or (member if own.domain else None)
        tenant = tenant or (member if own.tenant else None)
    return None


def reached_by(module: Module, own: Owner) -> str | None:
    """Return a tenant that GLOBAL sharing of an owner's bytes reaches and must not, or None."""
    domains = {text_of(tenant, "security_domain") for tenant in module.tenants.values()}
    if own.tenant is None and (own.domain is not None or len(domains - {None}) < 2):
        return None
    for tenant in module.tenants.values():
        if tenant.name == own.tenant:
            continue
        domain = text_of(tenant, "security_domain")
        if own.domain is None or domain is None or domain == own.domain:
            return tenant.name
    return None
