"""Many simulations of many kinds into one table that a kill does not undo."""
