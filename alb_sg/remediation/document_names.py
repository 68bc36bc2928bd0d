"""The names of the SSM Automation documents: one for each rule that can be fixed, and the one that undoes them."""

from __future__ import annotations

from alb_sg.recommendations.catalogue import RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME

DOCUMENT_PREFIX = "AlbSg-"
UNDO_DOCUMENT = f"{DOCUMENT_PREFIX}Undo"


def document_name(rule: str) -> str:
    """`AlbSg-ListenerIngress` for ALB_SG_LISTENER_INGRESS."""
    return DOCUMENT_PREFIX + RECOMMENDATIONS_BY_NAME[rule].camel_name


# The rule that each document fixes.
RECOMMENDATION_BY_DOCUMENT = {
    document_name(recommendation.name): recommendation
    for recommendation in RECOMMENDATIONS
    if recommendation.is_fixable
}
DOCUMENTS = (*RECOMMENDATION_BY_DOCUMENT, UNDO_DOCUMENT)
