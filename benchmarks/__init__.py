"""Speed, memory and numbers of calls: `make bench`. No part of the tests; each checks its own results all the same."""
