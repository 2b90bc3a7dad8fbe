"""What happened: reports of threads, waits and deadlocks."""
