"""mirc: a compiler toolchain for Memory Intent IR."""

__version__ = "0.1.0"
