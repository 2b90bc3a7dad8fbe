"""Calls of a class against the orders of them."""
