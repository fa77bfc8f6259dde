"""Tenants: who may command what, told from each other by keys, domains and an audit log."""
