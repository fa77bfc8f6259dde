"""Seeds into traces of requests: workloads that are drawn, and nobody's measurement."""
