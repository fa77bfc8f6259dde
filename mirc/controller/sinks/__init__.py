"""Attention into what is kept on chip: scores, sinks, their promotion, and the exact merge."""
