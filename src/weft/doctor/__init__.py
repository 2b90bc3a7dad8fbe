"""Does weft work here, and if not, why?

Facts of this interpreter and machine, each tried where trying is cheap, with a level and what to do. Nothing
is changed, and nothing is started but a few interpreters that end by themselves.
"""
