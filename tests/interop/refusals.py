"""What must be refused, and how: each error parses into the SDK's own model."""

from __future__ import annotations

import asyncio

import httpx
from adcp.types import Error
from buying import at, order
from harness import World, check, equal, refused


def parsed(error: dict) -> Error:
    """The error as the SDK's model; its message is for people, so it must say something."""
    model = Error.model_validate(error)
    assert len(model.message) > 10, f"message: {model.message!r}"
    return model


@check
async def unknown_product(world: World) -> None:
    """an unknown product is PRODUCT_NOT_FOUND, and names its place"""
    request = order(world, "non_guaranteed", 1000.0, world.key("unknown-product"))
    request["packages"][0]["product_id"] = "no-such-product"
    error = parsed(refused(await world.buyer.adapter.create_media_buy(request), "PRODUCT_NOT_FOUND"))
    assert error.field and error.field.startswith("packages[0]"), f"field: {error.field!r}"


@check
async def reversed_dates(world: World) -> None:
    """a flight that ends before it starts is refused"""
    request = order(world, "non_guaranteed", 1000.0, world.key("reversed-dates"))
    request |= {"start_time": at(32), "end_time": at(2)}
    result = await world.buyer.adapter.create_media_buy(request)
    assert not result.success and result.adcp_error, f"not refused: {result!r}"
    assert result.adcp_error["code"] in ("INVALID_REQUEST", "VALIDATION_ERROR"), result.adcp_error
    parsed(result.adcp_error)


@check
async def missing_field(world: World) -> None:
    """a request that breaks its schema is refused, with a pointer to the place"""
    request = order(world, "non_guaranteed", 1000.0, world.key("missing-field"))
    del request["packages"][0]["pricing_option_id"]
    result = await world.buyer.adapter.create_media_buy(request)
    assert not result.success and result.adcp_error, f"not refused: {result!r}"
    error = parsed(result.adcp_error)
    assert error.field and "packages[0]" in error.field, f"field: {error.field!r}"


@check
async def version_99(world: World) -> None:
    """a version we do not speak is VERSION_UNSUPPORTED, and says what we do speak"""
    request = {"buying_mode": "wholesale", "adcp_version": "99.0"}
    error = parsed(refused(await world.buyer.adapter.get_products(request), "VERSION_UNSUPPORTED"))
    details = error.details.model_dump() if hasattr(error.details, "model_dump") else error.details
    assert "3.1-rc.9" in (details or {}).get("supported_versions", []), f"details: {details}"


@check
async def unknown_media_buy(world: World) -> None:
    """a media buy of nobody cannot be changed"""
    request = {"idempotency_key": world.key("nobodys-buy"), "account": world.account}
    request |= {"media_buy_id": "mb-of-nobody", "paused": True}
    parsed(refused(await world.buyer.adapter.update_media_buy(request), "MEDIA_BUY_NOT_FOUND"))


@check
async def unknown_task(world: World) -> None:
    """a task of nobody is not found"""
    result = await world.buyer.adapter.get_task_status({"task_id": "task-of-nobody", "account": world.account})
    parsed(refused(result, "REFERENCE_NOT_FOUND"))


@check
async def wrong_token(world: World) -> None:
    """a wrong token buys nothing, on either header"""

    for more in ({}, {"auth_header": "x-adcp-auth", "auth_type": "token"}):
        answer = await asyncio.to_thread(ask_as_stranger, world, more)
        assert not getattr(answer, "success", False), f"a stranger was served: {answer!r}"


def ask_as_stranger(world: World, more: dict[str, str]) -> object:
    """What a client with a wrong token gets, in a loop of its own.

    After a 401 the MCP client cancels the task it runs in and complains while closing; both end here.
    """

    async def ask() -> object:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        return await world.client("not-the-token", **more).adapter.get_products({"buying_mode": "wholesale"})

    try:
        return asyncio.run(ask())
    except (Exception, asyncio.CancelledError) as error:
        return error


@check
async def unauthorized(world: World) -> None:
    """without credentials a protected tool is a 401 that says how to authenticate"""
    call = {"name": "get_products", "arguments": {"buying_mode": "wholesale"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {"accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient() as client:
        for extra in ({}, {"authorization": "Bearer not-the-token"}):
            answer = await client.post(world.url, json=message, headers=headers | extra)
            equal(answer.status_code, 401, "status")
            assert answer.headers.get("www-authenticate", "").startswith("Bearer"), dict(answer.headers)


@check
async def api_key_header(world: World) -> None:
    """the SDK's default header carries the same token"""
    async with world.client(world.token, auth_header="x-adcp-auth", auth_type="token") as buyer:
        result = await buyer.adapter.get_products({"buying_mode": "wholesale"})
        assert result.success, f"the call failed: {result.error}"
        equal(len(result.data["products"]), len(world.kept["products"]), "products")
