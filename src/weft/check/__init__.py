"""What could happen? Runs a program under many schedules and says what is wrong with it."""
