"""The recommendations as AWS Config custom rules on rdklib."""

from alb_sg.config_rule.cold_start import fast_imports

with fast_imports():
    from alb_sg.config_rule.rule import AlbSgRule, evaluate

__all__ = ["AlbSgRule", "evaluate"]
