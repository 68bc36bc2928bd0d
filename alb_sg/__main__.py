"""`python -m alb_sg`: the command `alb-sg`."""

from alb_sg.command_line.entry_point import run

if __name__ == "__main__":
    run()
