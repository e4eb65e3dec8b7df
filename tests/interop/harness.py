"""Runs checks in order, counts them, and shows why one failed."""

from __future__ import annotations

import inspect
import traceback
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from adcp import ADCPClient
from adcp.types.core import AgentConfig, Protocol, TaskResult
from adcp.validation.client_hooks import ValidationHookConfig

Check = Callable[["World"], Awaitable[None]]

CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Registers a check; they run in the order of their definition."""
    CHECKS.append(function)
    return function


class World:
    """The agent under test, and what one check leaves for the next."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self.buyer = self.client(token)
        # Filled as the story goes on: account, products, media buys.
        self.account: dict[str, Any] = {}
        self.kept: dict[str, Any] = {}
        self.run = uuid.uuid4().hex

    def key(self, name: str) -> str:
        """An idempotency key that no earlier run has used."""
        return f"{name}-{self.run}"

    def client(self, token: str | None, **more: Any) -> ADCPClient:
        """A client as the SDK documents it, strict about what it is answered."""
        config = {"auth_header": "Authorization", "auth_type": "bearer", **more}
        return ADCPClient(
            AgentConfig(id="agent", agent_uri=self.url, protocol=Protocol.MCP, auth_token=token, **config),
            validation=ValidationHookConfig(requests="warn", responses="strict"),
        )


def equal(actual: Any, expected: Any, what: str) -> None:
    """Asserts equality with both values in the message."""
    assert actual == expected, f"{what}: expected {expected!r}, got {actual!r}"


def is_a(value: Any, kind: type, what: str) -> None:
    """Asserts that the SDK parsed an answer into the model it should be."""
    assert isinstance(value, kind), f"{what}: expected {kind.__name__}, got {type(value).__name__}: {value!r}"


def done(result: TaskResult[Any], kind: type) -> Any:
    """The parsed data of a call that went well, as an instance of `kind`."""
    assert result.success, f"the call failed: {result.error}"
    data = getattr(result.data, "root", result.data)
    is_a(data, kind, "answer")
    return data


def refused(result: TaskResult[Any], code: str) -> dict[str, Any]:
    """The structured error of a call that must fail with `code`."""
    assert not result.success, f"expected {code}, but the call went well: {result.data!r}"
    assert result.adcp_error is not None, f"expected {code}, but there is no structured error: {result.error}"
    equal(result.adcp_error.get("code"), code, f"error code ({result.adcp_error.get('message')})")
    return result.adcp_error


async def run(world: World) -> int:
    """Runs every check and returns how many failed."""
    passed = failed = 0
    for function in CHECKS:
        name = inspect.getdoc(function) or function.__name__
        try:
            await function(world)
        except Exception as error:  # A check may fail in any way; the next one runs all the same.
            failed += 1
            print(f"FAILED  {name}\n        {error}")
            if not isinstance(error, AssertionError):
                traceback.print_exc(limit=-4)
        else:
            passed += 1
            print(f"ok      {name}")
    print(f"{passed} passed, {failed} failed")
    return failed
