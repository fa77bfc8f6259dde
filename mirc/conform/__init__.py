"""A controller and the contract of resident claims into a verdict on every clause."""
