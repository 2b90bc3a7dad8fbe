"""What a thread is: control block, wait, parking, timers, policies, ports, wait-for graph.

The core reads no clock, draws no number and starts no thread; all that comes in through ports. Words
used throughout weft:

    thread          what the program has            control block   weft's record of one
    carrier         what executes threads           model           binds blocks to carriers
    policy          picks who runs next             park, wake      the one way to block, to unblock
    slice           how long a thread runs before another one that is ready gets its turn
"""
