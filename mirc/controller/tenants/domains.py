"""Owners and security domains into what may meet: read, be kept once, or be moved together."""

import attrs


@attrs.frozen
class Place:
    """Whose something is, and its domain; None is nobody's, and no declared domain."""

    tenant: str | None = None
    domain: str | None = None


def may_use(user: Place, owned: Place) -> bool:
    """Tell whether a tenant may read an object that nobody shared with it.

    Its own, and nobody's in its domain. What is in no domain is not in everyone's: only one who is
    in none either may use it.
    """
    return user.domain == owned.domain and owned.tenant in (None, user.tenant)


def may_share(owned: Place, other: Place) -> bool:
    """Tell whether an owner may let another tenant read its object: never across domains."""
    return owned.domain == other.domain


def may_meet(one: Place, another: Place) -> bool:
    """Tell whether two objects may be kept as one copy or move as a coalition.

    Of one owner, in one domain: whether bytes of another are there already, or come along, would
    tell something about them.
    """
    return one == another
