"""What AWS Config calls: the four recommendations as custom rules on rdklib."""

from alb_sg.config_rule.start import short_start

with short_start():
    from alb_sg.config_rule.rule import AlbSgRule, evaluate

__all__ = ["AlbSgRule", "evaluate"]
