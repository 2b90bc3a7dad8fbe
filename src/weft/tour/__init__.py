"""The tour: chapters on threads, each with a program that is run where it is read."""
