"""What weft takes from the machine: kernel threads, stacks, the clock, a poller, signals."""
