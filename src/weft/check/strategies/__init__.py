"""Who goes on: one strategy a file, all behind the small interface of `base`."""
