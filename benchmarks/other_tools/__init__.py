"""What people use now, on the same account as `alb-sg check`: `make bench-peers`."""
