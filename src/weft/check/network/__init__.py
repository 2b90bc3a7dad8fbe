"""A simulated network: what CPython's `socket`, `selectors` and all that stands on them find underneath.

Sockets of a checked program are connected to each other inside the process, in virtual time; each operation
that another thread could notice is a point. `late` puts it in place when the program first asks for it.
"""
