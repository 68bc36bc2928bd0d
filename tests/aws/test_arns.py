import pytest

from alb_sg.aws.arns import (
    account_id_of,
    find_load_balancer_arns,
    is_load_balancer_arn,
    listener_load_balancer_arn,
    load_balancer_name,
    partition_of,
    region_of,
    role_account_id,
    target_group_name,
)

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


NETWORK = "arn:aws:elasticloadbalancing:eu-central-1:012345678901:loadbalancer/net/edge/0123456789abcdef"


def test_load_balancers_in_a_text() -> None:
    """A history's configuration is JSON text, so that quotes delimit the ARNs."""
    text = f'{{"LoadBalancerArns":["{LOAD_BALANCER}","{NETWORK}"],"TargetGroupArn":"{TARGET_GROUP}"}}'
    assert find_load_balancer_arns(text) == [LOAD_BALANCER, NETWORK]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LOAD_BALANCER, True),
        (NETWORK, True),
        (TARGET_GROUP, False),
        (f"{LOAD_BALANCER}/50dc6c495c0c9188", False),
        ("arn:aws:elasticloadbalancing:eu-central-1:012345678901:loadbalancer/classic", False),
    ],
)
def test_whether_a_text_is_a_load_balancer(text: str, expected: bool) -> None:
    assert is_load_balancer_arn(text) is expected


def test_the_load_balancer_of_a_listener() -> None:
    listener = f"{LOAD_BALANCER.replace(':loadbalancer/', ':listener/')}/50dc6c495c0c9188"
    assert listener_load_balancer_arn(listener) == LOAD_BALANCER
    for other in (LOAD_BALANCER, f"{listener}/rule", TARGET_GROUP, ""):
        assert listener_load_balancer_arn(other) is None


def test_the_account_of_a_role() -> None:
    assert role_account_id("arn:aws-us-gov:iam::012345678901:role/service/alb-sg") == "012345678901"
    for other in ("arn:aws:iam::012345678901:user/shop", "arn:aws:iam::1:role/shop", "None"):
        assert role_account_id(other) is None
