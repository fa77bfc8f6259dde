"""A trace of requests and a file's caches into what serving it comes to, on a clock."""
