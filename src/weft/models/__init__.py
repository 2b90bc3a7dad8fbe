"""Who runs the threads: the kernel and user models, and the loop of a carrier."""
