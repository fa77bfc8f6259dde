from mirc.ir.fields.spec import FieldSpec, Strength, Where
from mirc.ir.fields.table import FIELD_BY_KEY, FIELDS, KEYS_WHERE, SUBJECTS

__all__ = [
    "FIELDS",
    "FIELD_BY_KEY",
    "KEYS_WHERE",
    "SUBJECTS",
    "FieldSpec",
    "Strength",
    "Where",
]
