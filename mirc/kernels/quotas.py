"""What each tenant holds in near memory, beside the most that it may."""

from typing import Any

from mirc.kernels.world import HOLDS, LIMIT, NONE, SIZE, TENANT, World


def excess(w: World, o: int) -> Any:
    """Return by how many bytes an absent object would exceed its tenant's quota; 0 if it fits."""
    tenant = w.obj[TENANT, o]
    if tenant == NONE:
        return 0
    return max(0, w.tenant[HOLDS, tenant] + w.obj[SIZE, o] - w.tenant[LIMIT, tenant])
