"""What does a program touch? An import hook that rewrites its modules so that each access can be told."""
