"""Whose bytes may meet whose."""

import pytest

from mirc.diagnostics import Source
from mirc.lint.check import check_source

TENANTS = """
tenant red { quota_bytes = 1GiB  security_domain = red }
tenant blue { quota_bytes = 1GiB  security_domain = blue }
tenant rose { quota_bytes = 1GiB  security_domain = red }
object r { class = KV_BLOCK  tenant_id = red }
object b { class = KV_BLOCK  tenant_id = blue }
object s { class = KV_BLOCK  tenant_id = rose }
object open { class = WEIGHT_TILE }
"""
CASES = {
    "a coalition of two domains": ("coalition c { members = [r, b] }", "coalition-across-domains"),
    "a coalition of two tenants of one domain": (
        "coalition c { members = [r, s] }",
        "coalition-across-domains",
    ),
    "a coalition that an object joins by a hint": (
        (
            "coalition c { members = [r, open] }\n"
            "object x { class = KV_BLOCK  tenant_id = blue  coalition_hints = [c] }"
        ),
        "coalition-across-domains",
    ),
    "a coalition with bytes of everyone": ("coalition c { members = [r, open] }", None),
    "a coalition in a domain and in a tenant of it": (
        (
            "object x { class = KV_BLOCK  security_domain = red  tenant_id = red }\n"
            "coalition c { members = [r, x] }"
        ),
        None,
    ),
    "a claim of another tenant": (
        "claim c { holder = h  tenant_id = red  objects = [b] }",
        "claim-across-domains",
    ),
    "a claim of nobody over two domains": (
        "claim c { holder = h  objects = [r, b] }",
        "claim-across-domains",
    ),
    "a claim that an object says covers it": (
        (
            "claim c { holder = h  tenant_id = red }\n"
            "object x { class = KV_BLOCK  tenant_id = blue  claimed_by = c }"
        ),
        "claim-across-domains",
    ),
    "a claim of nobody over one domain": ("claim c { holder = h  objects = [r, open] }", None),
    "a claim that has the name of an object": (
        "claim b { holder = h  tenant_id = red  objects = [r] }",
        None,
    ),
    "everyone in a domain of several tenants": (
        "object x { class = KV_BLOCK  tenant_id = red  sharing_scope = GLOBAL }",
        "shared-across-domains",
    ),
    "everyone in a domain of one tenant": (
        "object x { class = KV_BLOCK  tenant_id = blue  sharing_scope = GLOBAL }",
        None,
    ),
    "everyone, and nobody says of which domain": (
        "object x { class = KV_BLOCK  sharing_scope = GLOBAL }",
        "shared-across-domains",
    ),
    "everyone, of a domain that is said": (
        "object x { class = KV_BLOCK  sharing_scope = GLOBAL  security_domain = red }",
        None,
    ),
    "a prefix of one tenant": (
        "object x { class = KV_BLOCK  tenant_id = red  sharing_scope = PREFIX }",
        None,
    ),
    "copies of one domain's bytes": (
        "object x { class = WEIGHT_TILE  tenant_id = red  replication_allowed = true }",
        "copied-across-domains",
    ),
    "copies that the class alone allows": (
        "object x { class = WEIGHT_TILE  tenant_id = red }",
        None,
    ),
    "copies of everyone's bytes": (
        "object x { class = WEIGHT_TILE  multicast_eligible = true }",
        None,
    ),
    "an object in a stranger's domain": (
        "object x { class = KV_BLOCK  tenant_id = red  security_domain = blue }",
        "domain-of-another",
    ),
    "an object in a domain of nobody": (
        "object x { class = KV_BLOCK  security_domain = green }",
        "unknown-domain",
    ),
    "a tenant without quota": (
        "tenant t { priority = 3 }\nobject x { class = KV_BLOCK  tenant_id = t }",
        "tenant-without-quota",
    ),
    "a tenant that only wires": (
        "tenant t { wired_quota_bytes = 1MiB }\nobject x { class = KV_BLOCK  tenant_id = t }",
        None,
    ),
}


def marks(rule: str | None) -> list[pytest.MarkDecorator]:
    """Return the mechanism where bytes of two would meet."""
    meets = rule is not None and rule.endswith("-across-domains")
    return [pytest.mark.mechanism("S0-21")] if meets else []


@pytest.mark.parametrize(
    ("declared", "rule"),
    [pytest.param(*case, id=title, marks=marks(case[1])) for title, case in CASES.items()],
)
def test_bytes_of_two_owners_meet_nowhere(declared: str, rule: str | None) -> None:
    found = check_source(Source("a.mir", TENANTS + declared + "\n")).diagnostics
    isolation = [d.rule.name for d in found if d.rule.code.startswith("MIR7")]
    assert isolation == ([rule] if rule else [])


def test_domains_without_tenants_are_whatever_objects_say() -> None:
    text = "object x { class = KV_BLOCK  security_domain = green }\n"
    assert check_source(Source("a.mir", text)).diagnostics == ()


def test_a_coalition_names_both_sides_where_they_join_it() -> None:
    text = TENANTS + "coalition c { members = [open, r, s, b] }\n"
    found = [d for d in check_source(Source("a.mir", text)).diagnostics if d.rule.code == "MIR701"]
    assert [d.message for d in found] == [
        "`c` groups `s` of tenant `rose` with `r` of tenant `red`"
    ]
    assert [text[r.span.start : r.span.end] for r in found[0].related] == ["r"]
