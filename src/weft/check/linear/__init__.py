"""Does a class do under threads what it does alone? `weft.check.linearizable(factory, operations)`.

Calls that threads make at the same time on one object must give what some order of them gives that one thread
could have made (Herlihy and Wing, 1990). What the calls give in an order is asked of the class itself, as
Line-Up does (Burckhardt, Dern, Musuvathi and Tan, 2010). Hypothesis makes the calls up, in the process of the
caller (`asking`); another process (`serving`) runs each set of calls (`scenario`) as a program (`calls`)
under many schedules, and looks (`judging`) for an order (`history`) that gives the same (`results`).
"""
