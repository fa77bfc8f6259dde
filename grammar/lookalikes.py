"""Characters that look like those of the language into the ones that were meant."""

import re
import unicodedata

_LIKE = str.maketrans(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u04bb\u0501"  # Cyrillic
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "aceopxyijshd" "ABEKMHOPCTXIJS" "ABEZHIKMNOPTYXo",
)  # fmt: skip
_WORD = re.compile(r"[\w.]+")
_FULL = re.compile(r"[\uff01-\uff5e]+")
_READ = re.compile(r"[\w.=,@\[\](){}]+", re.ASCII)


def typed(text: str, start: int, at: int) -> tuple[int, int, str] | None:
    """Return what was certainly meant by the strange character at ``at``, and in which place.

    The word that it stands in begins at ``start``. Full-width forms are what a keyboard in another
    mode types; letters of other alphabets count if the word holds ASCII letters too.
    """
    full = _FULL.match(text, at)
    if full is not None:
        meant = unicodedata.normalize("NFKC", full[0])
        return (*full.span(), meant) if _READ.fullmatch(meant) else None
    word = None if text[at].isascii() else _WORD.match(text, start)
    if word is None or word.end() <= at:
        return None
    meant = word[0].translate(_LIKE)
    mixed = any(letter.isascii() and letter.isalpha() for letter in word[0])
    return (*word.span(), meant) if mixed and meant.isascii() else None
