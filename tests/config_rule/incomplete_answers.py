"""Answers of AWS that lack something, for tests on a simulated account and on a served one."""

from __future__ import annotations

import pytest

from alb_sg.aws.calls import ApiRequest, ApiResponse


def empty_list_of_load_balancers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of all load balancers comes back empty; asked for by ARN, each is there."""
    send = ApiRequest.send

    def lacking(request: ApiRequest) -> ApiResponse:
        response = send(request)
        is_list = request.operation == "describe_load_balancers" and not request.parameters
        return response._replace(items=[]) if is_list else response

    monkeypatch.setattr(ApiRequest, "send", lacking)
