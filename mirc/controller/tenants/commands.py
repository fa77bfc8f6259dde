"""A tenant's command into signed bytes, and back into a command that is proven to be its own.

The tag is HMAC-SHA-256 under the tenant's key over the whole command, its counter included (RFC
2104, FIPS 198-1). A counter that only rises makes each command good for one use.
"""

import hashlib
import hmac
from enum import StrEnum

import attrs
from attrs import validators as v

TAG_BYTES = 32
KEY_BYTES = 16  # at least: half of the hash's output, RFC 2104, section 3
MOST_NAME_BYTES = 1024
_CONTEXT = b"mirc tenant command 1"


class Act(StrEnum):
    """What a tenant may ask for; ``other`` of a command is what each needs besides ``object``."""

    FETCH = "FETCH"
    """Bring an object near."""
    EVICT = "EVICT"
    """Let an object leave near memory."""
    SHARE = "SHARE"
    """Let the tenant ``other`` read an object."""
    DEDUPLICATE = "DEDUPLICATE"
    """Keep one copy of an object and of the object ``other``, whose bytes are the same."""
    JOIN = "JOIN"
    """Move an object together with the object ``other`` from now on: a coalition."""
    END = "END"
    """End the tenant: nothing that it has remains, and its key is forgotten."""


def _short(_: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if len(value.encode("utf-8", "surrogatepass")) > MOST_NAME_BYTES:
        raise ValueError(f"{attribute.name} is longer than {MOST_NAME_BYTES} bytes")


@attrs.frozen(kw_only=True)
class Command:
    """One request; ``counter`` is above that of every request before it."""

    tenant: str = attrs.field(validator=_short)
    counter: int = attrs.field(validator=[v.ge(0), v.lt(1 << 64)])
    act: Act
    object: str = attrs.field(default="", validator=_short)
    other: str = attrs.field(default="", validator=_short)

    def encoded(self) -> bytes:
        """Return its bytes: each part after its length, so that no two commands look alike."""
        parts = (self.tenant, str(self.act), self.object, self.other)
        texts = [part.encode("utf-8", "surrogatepass") for part in parts]
        body = b"".join(len(text).to_bytes(4, "big") + text for text in texts)
        return _CONTEXT + self.counter.to_bytes(8, "big") + body


@attrs.frozen
class Signed:
    """A command and the tag that came with it: authentic or not."""

    command: Command
    tag: bytes = attrs.field(repr=False)


def sign(key: bytes, command: Command) -> Signed:
    """Sign a command; raises ValueError for a key that is shorter than ``KEY_BYTES``."""
    if len(key) < KEY_BYTES:
        raise ValueError(f"a key of {len(key)} bytes is too short: {KEY_BYTES} at least")
    return Signed(command, hmac.new(key, command.encoded(), hashlib.sha256).digest())


def is_authentic(key: bytes, signed: Signed) -> bool:
    """Tell whether the holder of a key signed just this command; in time that tells nothing."""
    expected = hmac.new(key, signed.command.encoded(), hashlib.sha256).digest()
    return hmac.compare_digest(expected, signed.tag)
