"""`python -m alb_sg`: the command `alb-sg`, where it is not on the path."""

from alb_sg.command_line.leaving import run

if __name__ == "__main__":
    run()
