"""What stands for threads, locks, queues and pools where each thread is a process.

    cells       a piece of state that all processes of a program share, and how one waits for it
    locks       Lock, RLock, Condition, Semaphore, Event, Barrier
    queues      Queue, LifoQueue, PriorityQueue, SimpleQueue
    parcels     pickling, with lambdas and closures by value
    carried     what cannot be carried over to a process, found before it starts
    threads     Thread, Timer, local, and the functions of `threading`
    pools       ThreadPoolExecutor
    recording   what each process notes for `weft trace`
    modules     the modules that a program sees, and the import that hands them out
    session     puts it in force, joins and ends the processes, takes it away

Nothing here parks by `weft.core`: its threads share no memory, so their waits are made of the system's own
parts. CPython's Python layer is kept, as everywhere: `Semaphore`, `Event`, `Barrier`, `Queue` are its classes
over locks and fields that are shared.
"""
