"""stand-in"""


def install(only=(), exclude=(), stdlib=False):
    pass


def compile_source(source, filename):
    return compile(source, filename, "exec", dont_inherit=True)
