import pytest

from alb_sg.aws.arns import account_id_of, load_balancer_name, partition_of, region_of, target_group_name

LOAD_BALANCER = "arn:aws-cn:elasticloadbalancing:cn-north-1:012345678901:loadbalancer/app/shop/0123456789abcdef"
TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:012345678901:targetgroup/web/0123456789abcdef"


def test_the_parts_of_an_arn() -> None:
    assert partition_of(LOAD_BALANCER) == "aws-cn"
    assert region_of(LOAD_BALANCER) == "cn-north-1"
    assert account_id_of(LOAD_BALANCER) == "012345678901"


def test_the_names_in_arns() -> None:
    assert load_balancer_name(LOAD_BALANCER) == "shop"
    assert target_group_name(TARGET_GROUP) == "web"


@pytest.mark.parametrize("text", ["", "shop", "a/b", "arn:aws:elasticloadbalancing"])
def test_a_text_that_is_no_arn_is_its_own_name_and_has_no_account(text: str) -> None:
    assert load_balancer_name(text) == text
    assert account_id_of(text) == ""
