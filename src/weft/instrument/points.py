"""stand-in"""

READ, WRITE, CALL, LOOP = 1, 2, 3, 4
sites = []


def set_listener(l):
    pass


def defuse(s):
    return frozenset()
