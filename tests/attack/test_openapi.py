"""What OpenAPI promises, tried with values that a generator thinks of."""

import json

import schemathesis
from hypothesis import HealthCheck, given, settings

EXAMPLES = 15


def attack(client, operation):
    """Try one operation with generated requests."""

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def try_it(case):
        body = case.body if isinstance(case.body, dict | list | str | int) else {}
        answer = client.generic(
            case.method, case.formatted_path, json.dumps(body), "application/json",
            query_params=case.query,
        )  # fmt: skip
        assert answer.status_code < 500, (case.formatted_path, body)

    try_it()


def test_no_operation_of_the_interface_breaks(door):
    client = door.browser("omar")
    schema = schemathesis.openapi.from_dict(client.get("/api/openapi.json").json())
    tried = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        attack(client, operation)
        tried.add((operation.method.upper(), operation.path))

    assert tried == {
        (method.upper(), path)
        for path, methods in client.get("/api/openapi.json").json()["paths"].items()
        for method in methods
    }
    assert len(tried) >= 5
