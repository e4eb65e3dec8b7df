"""Orders: confirmed at once, reviewed, changed, delivered."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from adcp.exceptions import IdempotencyConflictError
from adcp.types import (
    CreateMediaBuyRequest,
    GetMediaBuyDeliveryRequest,
    GetMediaBuyDeliveryResponse,
    GetMediaBuysRequest,
    GetMediaBuysResponse,
    GetTaskStatusRequest,
    ListCreativesRequest,
    ListCreativesResponse,
    ListTasksRequest,
    SyncCreativesRequest,
    UpdateMediaBuyRequest,
)
from adcp.types.aliases import (
    CreateMediaBuySubmittedResponse,
    CreateMediaBuySuccessResponse,
    UpdateMediaBuySuccessResponse,
)
from harness import World, check, done, equal

POLL_FOR = 30.0


def at(days: int) -> str:
    """Midnight, so many days from now."""
    day = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=days)).isoformat().replace("+00:00", "Z")


def priced(product: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """A pricing option that a budget can be computed for, and what a package says of it."""
    for option in product["pricing_options"]:
        if option["currency"] != "USD" or option["pricing_model"] != "cpm":
            continue
        if option.get("fixed_price") is not None:
            return option, {}
        floor = option.get("floor_price") or 1.0
        return option, {"bid_price": round(float(floor) * 2, 2)}
    return None


def order(world: World, delivery: str, budget: float, key: str) -> dict[str, Any]:
    """A purchase of one product of the wanted delivery type."""
    for product in world.kept["products"]:
        found = priced(product)
        if product["delivery_type"] == delivery and found is not None:
            option, bid = found
            least = float(option.get("min_spend_per_package") or 0)
            package = {
                "product_id": product["product_id"],
                "pricing_option_id": option["pricing_option_id"],
                "budget": max(budget, least),
                **bid,
            }
            return {
                "idempotency_key": key,
                "account": world.account,
                "brand": {"domain": "acme-outdoor.example"},
                "packages": [package],
                "start_time": at(2),
                "end_time": at(32),
                "context": {"trace": key},
            }
    raise AssertionError(f"no {delivery} product with a CPM price in USD")


async def read_buy(world: World, media_buy_id: str) -> dict[str, Any]:
    request = {"account": world.account, "media_buy_ids": [media_buy_id]}
    result = await world.buyer.get_media_buys(GetMediaBuysRequest.model_validate(request))
    buys = done(result, GetMediaBuysResponse).model_dump(mode="json", exclude_none=True)["media_buys"]
    equal(len(buys), 1, f"media buys called {media_buy_id}")
    return buys[0]


@check
async def uploads_a_creative(world: World) -> None:
    """sync_creatives stores a banner, and list_creatives shows it"""
    wanted = "display_300x250"
    refs = [ref for product in world.kept["products"] for ref in product.get("format_ids") or []]
    format_id = next(ref for ref in refs if ref["id"] == wanted)
    world.kept["creative"] = creative_id = f"banner-{world.run}"
    banner = {
        "creative_id": creative_id,
        "name": "Interop banner",
        "format_id": format_id,
        "assets": {
            "banner_image": {
                "asset_type": "image",
                "url": "https://cdn.acme-outdoor.example/banner.png",
                "width": 300,
                "height": 250,
            }
        },
    }
    request = {"idempotency_key": world.key("sync-creatives"), "account": world.account, "creatives": [banner]}
    result = await world.buyer.sync_creatives(SyncCreativesRequest.model_validate(request))
    assert result.success, f"the call failed: {result.error}"
    synced = result.data.model_dump(mode="json", exclude_none=True)["creatives"]
    equal([(entry["creative_id"], entry["action"]) for entry in synced], [(creative_id, "created")], "creatives")

    request = ListCreativesRequest.model_validate({"account": world.account})
    listed = done(await world.buyer.list_creatives(request), ListCreativesResponse)
    assert creative_id in {creative.creative_id for creative in listed.creatives}, f"listed: {listed}"


@check
async def instant_purchase(world: World) -> None:
    """create_media_buy confirms non-guaranteed inventory at once, with our context and creative"""
    request = order(world, "non_guaranteed", 1500.0, world.key("instant-purchase"))
    request["start_time"] = "asap"
    request["packages"][0]["creative_assignments"] = [{"creative_id": world.kept["creative"]}]
    result = await world.buyer.create_media_buy(CreateMediaBuyRequest.model_validate(request))
    bought = done(result, CreateMediaBuySuccessResponse).model_dump(mode="json", exclude_none=True)
    equal(bought["context"], {"trace": request["idempotency_key"]}, "context")
    equal(len(bought["packages"]), 1, "packages")
    assert not result.replayed, "a first answer is no replay"
    world.kept["instant"] = bought
    world.kept["instant request"] = request
    buy = await read_buy(world, bought["media_buy_id"])
    equal(Decimal(str(buy["packages"][0]["budget"])), Decimal(str(request["packages"][0]["budget"])), "budget")


@check
async def replay(world: World) -> None:
    """the same order with the same key is a replay, not a second purchase"""
    request = CreateMediaBuyRequest.model_validate(world.kept["instant request"])
    result = await world.buyer.create_media_buy(request)
    again = done(result, CreateMediaBuySuccessResponse)
    equal(again.media_buy_id, world.kept["instant"]["media_buy_id"], "media buy id")
    assert result.replayed, "the answer does not say that it is a replay"


@check
async def conflict(world: World) -> None:
    """another order with the same key is a conflict"""
    request = dict(world.kept["instant request"], end_time=at(40))
    try:
        result = await world.buyer.create_media_buy(CreateMediaBuyRequest.model_validate(request))
    except IdempotencyConflictError:
        return
    raise AssertionError(f"no conflict: {result!r}")


@check
async def reviewed_purchase(world: World) -> None:
    """create_media_buy hands a large guaranteed order to a reviewer and says so"""
    request = order(world, "guaranteed", 90000.0, world.key("reviewed-purchase"))
    result = await world.buyer.create_media_buy(CreateMediaBuyRequest.model_validate(request))
    submitted = done(result, CreateMediaBuySubmittedResponse)
    assert submitted.task_id, "a submitted answer names its task"
    world.kept["task"] = submitted.task_id


@check
async def polls_until_done(world: World) -> None:
    """get_task_status leads to the result of the reviewed order"""
    request = {"task_id": world.kept["task"], "account": world.account, "include_result": True}
    request = GetTaskStatusRequest.model_validate(request)
    until = time.monotonic() + POLL_FOR
    while True:
        result = await world.buyer.get_task_status(request)
        assert result.success, f"the call failed: {result.error}"
        task = result.data.model_dump(mode="json", exclude_none=True)
        equal(task["task_id"], world.kept["task"], "task id")
        equal(task["task_type"], "create_media_buy", "task type")
        if task["status"] not in ("submitted", "working"):
            break
        assert time.monotonic() < until, f"still {task['status']} after {POLL_FOR} s"
        await asyncio.sleep(0.2)
    equal(task["status"], "completed", "task status")
    media_buy_id = task["result"]["media_buy_id"]
    await read_buy(world, media_buy_id)


@check
async def tasks_are_listed(world: World) -> None:
    """list_tasks shows the reviewed order"""
    result = await world.buyer.list_tasks(ListTasksRequest.model_validate({"account": world.account}))
    assert result.success, f"the call failed: {result.error}"
    tasks = result.data.model_dump(mode="json", exclude_none=True)["tasks"]
    assert world.kept["task"] in {task["task_id"] for task in tasks}, f"tasks: {tasks}"


async def update(world: World, key: str, **changes: Any) -> dict[str, Any]:
    media_buy_id = world.kept["instant"]["media_buy_id"]
    request = {"idempotency_key": key, "account": world.account, "media_buy_id": media_buy_id, **changes}
    result = await world.buyer.update_media_buy(UpdateMediaBuyRequest.model_validate(request))
    return done(result, UpdateMediaBuySuccessResponse).model_dump(mode="json", exclude_none=True)


@check
async def pause_and_resume(world: World) -> None:
    """update_media_buy pauses what is running, and resumes it"""
    media_buy_id = world.kept["instant"]["media_buy_id"]
    equal((await read_buy(world, media_buy_id))["status"], "active", "status at first")
    await update(world, world.key("pause"), paused=True)
    equal((await read_buy(world, media_buy_id))["status"], "paused", "status after the pause")
    await update(world, world.key("resume"), paused=False)
    equal((await read_buy(world, media_buy_id))["status"], "active", "status after the resume")


@check
async def new_budget(world: World) -> None:
    """update_media_buy changes the budget of a package"""
    package_id = world.kept["instant"]["packages"][0]["package_id"]
    await update(world, world.key("budget"), packages=[{"package_id": package_id, "budget": 2750.25}])
    buy = await read_buy(world, world.kept["instant"]["media_buy_id"])
    equal(Decimal(str(buy["packages"][0]["budget"])), Decimal("2750.25"), "budget")


@check
async def delivery(world: World) -> None:
    """get_media_buy_delivery reports our purchase, with totals that add up"""
    request = {"account": world.account, "media_buy_ids": [world.kept["instant"]["media_buy_id"]]}
    result = await world.buyer.get_media_buy_delivery(GetMediaBuyDeliveryRequest.model_validate(request))
    report = done(result, GetMediaBuyDeliveryResponse).model_dump(mode="json", exclude_none=True)
    rows = report["media_buy_deliveries"]
    equal([row["media_buy_id"] for row in rows], request["media_buy_ids"], "media buys")
    spent = sum(Decimal(str(package["spend"])) for package in rows[0]["by_package"])
    equal(spent, Decimal(str(rows[0]["totals"]["spend"])), "spend of the packages")


@check
async def cancel(world: World) -> None:
    """update_media_buy cancels, once and for good"""
    media_buy_id = world.kept["instant"]["media_buy_id"]
    await update(world, world.key("cancel"), canceled=True, cancellation_reason="season is over")
    equal((await read_buy(world, media_buy_id))["status"], "canceled", "status")
    request = {"idempotency_key": world.key("late-change"), "account": world.account}
    request |= {"media_buy_id": media_buy_id, "paused": True}
    late = await world.buyer.adapter.update_media_buy(request)
    assert not late.success, "a cancelled purchase was changed"
    assert late.adcp_error, f"no structured error: {late.error}"
