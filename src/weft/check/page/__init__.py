"""A report as one page of HTML that needs nothing else: what a person looks at.

`paper` is the part of the checking process: the file, and the plain facts of the report. They go to a fresh
interpreter (`__main__`), since a template library has no place among the modules of a program that is
checked. There `build` makes the page's model of them (`model`), a pure function, and `render` its text.
"""
