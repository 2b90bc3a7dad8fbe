"""Which model suits a program? Runs it on each, and says what each run cost.

`runs` makes the runs, `outcome` holds what came out, `verdict` draws the conclusion, and `table`, `page` and
`outcome.as_json` show it. `choice` knows what there is to choose from: models, and programs that come with
weft.
"""
