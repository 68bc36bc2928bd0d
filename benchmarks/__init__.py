"""Speed, memory and numbers of calls: `make bench`. Never part of the tests; each checks its own results all the same."""
