"""Rules about tenants and security domains: whose bytes may meet whose."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.enums import SharingScope
from mirc.ir.places import Mark
from mirc.lint.context import Context
from mirc.lint.owners import (
    first_parted,
    hinting_at,
    named_in,
    owner_of,
    owners_of,
    reached_by,
    text_of,
)
from mirc.lint.rule import Found, LintRule, seen_at

# The examples' two tenants, each in a domain of its own.
_RED_AND_BLUE = """
tenant red { quota_bytes = 1GiB  security_domain = red }
tenant blue { quota_bytes = 1GiB  security_domain = blue }
"""


class CoalitionAcrossDomains(LintRule):
    """A coalition groups bytes of different security domains or tenants.

    Its members are fetched and placed together, so that one of them tells when another is used;
    bytes of different domains are never grouped. Members that name neither belong to everyone.
    """

    code = "MIR701"
    name = "coalition-across-domains"
    severity = Severity.ERROR
    message = "`{coalition}` groups `{second}` of {there} with `{first}` of {here}"
    hint = "make one coalition for each of the two"
    bad = """
object a { class = KV_BLOCK  security_domain = red }
object b { class = KV_BLOCK  security_domain = blue }
coalition c { members = [a, b] }
"""
    good = """
object a { class = KV_BLOCK  security_domain = red }
object b { class = KV_BLOCK  security_domain = red }
coalition c { members = [a, b] }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        owners = owners_of(context)
        hinting = hinting_at(context, "coalition_hints") if owners else {}
        for coalition in context.module.coalitions.values() if owners else ():
            members = (*named_in(context, coalition, "members"), *hinting.get(coalition.name, ()))
            parted = first_parted(members, owners)
            if parted is None:
                continue
            (first, first_mark), (second, mark), (here, there) = parted
            yield self.at(
                mark.block,
                mark.key,
                path=mark.path,
                related=seen_at(first_mark, f"`{first}` joins it here"),
                coalition=coalition.name,
                first=first,
                second=second,
                here=here,
                there=there,
            )


class ClaimAcrossDomains(LintRule):
    """A claim covers objects of another tenant or of several security domains.

    No tenant touches another's bytes, and a claim keeps them where its holder wants them.
    """

    code = "MIR702"
    name = "claim-across-domains"
    severity = Severity.ERROR
    message = "the claim `{claim}` covers `{second}` of {there}, but {first} is of {here}"
    hint = "let each of the two claim its own objects"
    bad = """
tenant red { quota_bytes = 1GiB }
tenant blue { quota_bytes = 1GiB }
object a { class = KV_BLOCK  tenant_id = blue }
claim c { holder = gateway  tenant_id = red  objects = [a] }
"""
    good = """
tenant red { quota_bytes = 1GiB }
tenant blue { quota_bytes = 1GiB }
object a { class = KV_BLOCK  tenant_id = red }
object b { class = KV_BLOCK  tenant_id = blue }
claim c { holder = gateway  tenant_id = red  objects = [a] }
claim d { holder = gateway  tenant_id = blue  objects = [b] }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        owners = owners_of(context)
        claiming = hinting_at(context, "claimed_by") if owners else {}
        for claim in context.module.claims.values() if owners else ():
            own = owner_of(context.module, claim)
            objects = (*named_in(context, claim, "objects"), *claiming.get(claim.name, ()))
            # A claim and an object may share a name: what the claim itself is comes under none.
            known = {**owners, "": own}
            holder = [("", Mark(claim, "tenant_id"))] if own.tenant else []
            parted = first_parted((*holder, *objects), known)
            if parted is None:
                continue
            (first, first_mark), (second, mark), (here, there) = parted
            yield self.at(
                mark.block,
                mark.key,
                path=mark.path,
                related=seen_at(first_mark, f"{here} is said here"),
                claim=claim.name,
                first=f"`{first}`, which it covers too," if first else "the claim",
                second=second,
                here=here,
                there=there,
            )


class SharedAcrossDomains(LintRule):
    """``sharing_scope = GLOBAL`` on bytes of one tenant, where that reaches other tenants.

    GLOBAL means everyone in the security domain. If another tenant is in the same domain, or the
    object is in none, everyone includes that tenant, and no tenant touches another's bytes. The
    same holds for bytes of nobody, where the tenants have several domains: nobody says which.
    """

    code = "MIR703"
    name = "shared-across-domains"
    severity = Severity.WARNING
    message = "`{object}`{owner} is shared with everyone, the tenant `{other}` among them"
    hint = "share it in the TENANT, or give it a `security_domain` that nobody else is in"
    bad = """
tenant red { quota_bytes = 1GiB }
tenant blue { quota_bytes = 1GiB }
object a { class = KV_BLOCK  tenant_id = red  sharing_scope = GLOBAL }
object b { class = KV_BLOCK  tenant_id = blue }
"""
    good = """
tenant red { quota_bytes = 1GiB }
tenant blue { quota_bytes = 1GiB }
object a { class = KV_BLOCK  tenant_id = red  sharing_scope = TENANT }
object b { class = KV_BLOCK  tenant_id = blue }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        module = context.module
        for scope in context.where("sharing_scope"):
            word = scope.written("sharing_scope").word
            if word != SharingScope.GLOBAL or scope.own("sharing_scope") is None:
                continue
            own = owner_of(module, scope.declaration)
            other = reached_by(module, own)
            if other is not None:
                mark = Mark(scope.declaration, "tenant_id") if own.tenant else None
                yield self.at(
                    scope.nearest,
                    "sharing_scope",
                    related=seen_at(mark, "its tenant is here"),
                    object=scope.name,
                    owner=f" of tenant `{own.tenant}`" if own.tenant else "",
                    other=other,
                )


class CopiedAcrossDomains(LintRule):
    """Copies of one domain's bytes may go to accelerators that serve other domains.

    Replicas and multicast deliver the same bytes to several accelerators, and nothing says which
    domain each of them serves. Bytes of a domain stay with it.
    """

    code = "MIR704"
    name = "copied-across-domains"
    severity = Severity.WARNING
    message = "`{key}` lets copies of `{object}`, of domain `{domain}`, reach domain `{other}`"
    hint = "write `{key} = false`, or leave the object out of any domain if all may read it"
    bad = (
        _RED_AND_BLUE
        + """\
object a { class = WEIGHT_TILE  tenant_id = red  multicast_eligible = true }
object b { class = KV_BLOCK  tenant_id = blue }
"""
    )
    good = (
        _RED_AND_BLUE
        + """\
object a { class = WEIGHT_TILE  tenant_id = red  multicast_eligible = false }
object b { class = KV_BLOCK  tenant_id = blue }
"""
    )
    KEYS = ("replication_allowed", "multicast_eligible")

    def _findings(self, context: Context) -> Iterator[Found]:
        domains = dict.fromkeys(
            domain
            for tenant in context.module.tenants.values()
            if (domain := text_of(tenant, "security_domain"))
        )
        for scope in context.where(*self.KEYS) if len(domains) > 1 else ():
            own = owner_of(context.module, scope.declaration)
            other = next((domain for domain in domains if domain != own.domain), None)
            for key in self.KEYS if own.domain and other else ():
                if scope.affirms(key):
                    yield self.at(
                        scope.nearest,
                        key,
                        key=key,
                        object=scope.name,
                        domain=own.domain,
                        other=other,
                    )


class TenantWithoutQuota(LintRule):
    """A tenant that may take all there is.

    Without `quota_bytes` (or `wired_quota_bytes`, where wiring is all that it does) nothing keeps
    it from the memory of the others.
    """

    code = "MIR705"
    name = "tenant-without-quota"
    severity = Severity.WARNING
    message = "the tenant `{tenant}` has no quota"
    hint = "add `quota_bytes`, the most that it may hold in near memory"
    bad = """
tenant red { priority = 50 }
object a { class = KV_BLOCK  tenant_id = red }
"""
    good = """
tenant red { priority = 50  quota_bytes = 4GiB }
object a { class = KV_BLOCK  tenant_id = red }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for tenant in context.module.tenants.values():
            if all(tenant.value(key) is None for key in ("quota_bytes", "wired_quota_bytes")):
                yield self.at(tenant, tenant=tenant.name)


class DomainOfAnother(LintRule):
    """An object is in one security domain, and its tenant in another.

    Its tenant could not touch it, and those who can are charged to a stranger's quota.
    """

    code = "MIR706"
    name = "domain-of-another"
    severity = Severity.ERROR
    message = "`{object}` is in domain `{domain}`, but its tenant `{tenant}` is in `{other}`"
    hint = "write the tenant's domain, or leave it out: the tenant's holds"
    bad = (
        _RED_AND_BLUE
        + """\
object a { class = KV_BLOCK  tenant_id = red  security_domain = blue }
object b { class = KV_BLOCK  tenant_id = blue }
"""
    )
    good = (
        _RED_AND_BLUE
        + """\
object a { class = KV_BLOCK  tenant_id = red  security_domain = red }
object b { class = KV_BLOCK  tenant_id = blue }
"""
    )

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope in context.where("security_domain"):
            block = scope.declaration
            tenant = context.module.tenants.get(text_of(block, "tenant_id") or "")
            other = None if tenant is None else text_of(tenant, "security_domain")
            domain = text_of(block, "security_domain")
            if tenant is not None and other is not None and domain != other:
                yield self.at(
                    block,
                    "security_domain",
                    related=seen_at(Mark(tenant, "security_domain"), "the tenant's is here"),
                    object=scope.name,
                    domain=domain,
                    tenant=tenant.name,
                    other=other,
                )


class UnknownDomain(LintRule):
    """An object names a security domain in which no tenant of the file is.

    Where tenants say which domains there are, nobody can use it; it may be a misspelling.
    """

    code = "MIR707"
    name = "unknown-domain"
    severity = Severity.WARNING
    message = "no tenant is in the domain `{domain}` of `{object}`"
    hint = "use one of {known}, or give a tenant this `security_domain`"
    bad = """
tenant red { quota_bytes = 1GiB  security_domain = red }
object a { class = KV_BLOCK  security_domain = rde }
"""
    good = """
tenant red { quota_bytes = 1GiB  security_domain = red }
object a { class = KV_BLOCK  tenant_id = red  security_domain = red }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        known = {
            domain: None
            for tenant in context.module.tenants.values()
            if (domain := text_of(tenant, "security_domain"))
        }
        for scope in context.where("security_domain") if known else ():
            domain = text_of(scope.declaration, "security_domain")
            # Where its tenant is in another domain, another rule says so.
            if domain not in known and owner_of(context.module, scope.declaration).tenant is None:
                names = ", ".join(f"`{name}`" for name in known)
                yield self.at(
                    scope.declaration,
                    "security_domain",
                    object=scope.name,
                    domain=domain,
                    known=names,
                )
