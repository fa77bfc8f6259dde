from mirc.graph.model import (
    Access,
    Capture,
    Graph,
    Level,
    Node,
    Part,
    Program,
    Role,
    Split,
    Step,
    Storage,
    Use,
)

__all__ = [
    "Access",
    "Capture",
    "Graph",
    "Level",
    "Node",
    "Part",
    "Program",
    "Role",
    "Split",
    "Step",
    "Storage",
    "Use",
]
