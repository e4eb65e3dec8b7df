"""Before the first order: what the agent can do, who we are to it, what it sells."""

from __future__ import annotations

from adcp.types import (
    GetAdcpCapabilitiesRequest,
    GetAdcpCapabilitiesResponse,
    GetProductsRequest,
    GetProductsResponse,
    ListAccountsRequest,
    ListAccountsResponse,
    ListCreativeFormatsRequest,
    ListCreativeFormatsResponse,
    SyncAccountsRequest,
)
from harness import World, check, done, equal


@check
async def lists_tools(world: World) -> None:
    """tools/list names the media buy tools and hides the legacy aliases"""
    tools = set(await world.buyer.list_tools())
    wanted = {"get_adcp_capabilities", "get_products", "create_media_buy", "update_media_buy", "get_media_buys"}
    wanted |= {"get_media_buy_delivery", "get_task_status", "list_tasks", "list_accounts", "sync_accounts"}
    assert wanted <= tools, f"missing: {sorted(wanted - tools)}"
    assert not {"tasks/get", "tasks/list"} & tools, f"aliases are listed: {sorted(tools)}"


@check
async def capabilities(world: World) -> None:
    """capabilities say media buy, the version, and a replay window"""
    result = await world.buyer.get_adcp_capabilities(GetAdcpCapabilitiesRequest())
    data = done(result, GetAdcpCapabilitiesResponse)
    protocols = {getattr(protocol, "value", protocol) for protocol in data.supported_protocols}
    assert "media_buy" in protocols, f"supported protocols: {protocols}"
    raw = data.model_dump(mode="json")["adcp"]
    assert "3.1-rc.9" in (raw.get("supported_versions") or []), f"supported versions: {raw}"
    assert raw["idempotency"]["replay_ttl_seconds"] >= 3600, f"idempotency: {raw['idempotency']}"


@check
async def capabilities_without_credentials(world: World) -> None:
    """capabilities answer without credentials"""
    async with world.client(None) as anyone:
        result = await anyone.get_adcp_capabilities(GetAdcpCapabilitiesRequest())
        done(result, GetAdcpCapabilitiesResponse)


@check
async def opens_an_account(world: World) -> None:
    """sync_accounts opens an account for a brand, and list_accounts shows it"""
    brand = {"domain": "acme-outdoor.example"}
    request = SyncAccountsRequest.model_validate(
        {
            "idempotency_key": world.key("sync-accounts"),
            "accounts": [{"brand": brand, "operator": "acme-outdoor.example", "billing": "operator"}],
        }
    )
    result = await world.buyer.sync_accounts(request)
    assert result.success, f"the call failed: {result.error}"
    synced = result.data.model_dump(mode="json")["accounts"]
    equal(len(synced), 1, "accounts in the answer")

    listed = done(await world.buyer.list_accounts(ListAccountsRequest()), ListAccountsResponse)
    accounts = listed.model_dump(mode="json", exclude_none=True)["accounts"]
    found = [account for account in accounts if (account.get("brand") or {}).get("domain") == brand["domain"]]
    equal(len(found), 1, f"accounts of the brand in {accounts}")
    world.account = {"account_id": found[0]["account_id"]}


@check
async def wholesale_products(world: World) -> None:
    """get_products, wholesale: the whole catalogue, each product with prices and formats"""
    result = await world.buyer.get_products(GetProductsRequest.model_validate({"buying_mode": "wholesale"}))
    products = done(result, GetProductsResponse).model_dump(mode="json", exclude_none=True)["products"]
    assert len(products) >= 2, f"{len(products)} products"
    for product in products:
        assert product["pricing_options"], f"{product['product_id']} has no price"
    world.kept["products"] = products


@check
async def brief_products(world: World) -> None:
    """get_products, brief: a part of the catalogue, for a known account"""
    request = {"buying_mode": "brief", "brief": "short video spots in the evening", "account": world.account}
    request["brand"] = {"domain": "acme-outdoor.example"}
    result = await world.buyer.get_products(GetProductsRequest.model_validate(request))
    products = done(result, GetProductsResponse).products
    known = {product["product_id"] for product in world.kept["products"]}
    assert products, "no product fits"
    assert {product.product_id for product in products} <= known, "a product that wholesale does not know"


@check
async def filtered_products(world: World) -> None:
    """get_products honours a filter on the delivery type"""
    for delivery in ("guaranteed", "non_guaranteed"):
        request = {"buying_mode": "wholesale", "filters": {"delivery_type": delivery}}
        result = await world.buyer.get_products(GetProductsRequest.model_validate(request))
        products = done(result, GetProductsResponse).products
        assert products, f"no {delivery} product"
        kinds = {getattr(product.delivery_type, "value", product.delivery_type) for product in products}
        equal(kinds, {delivery}, "delivery types")


@check
async def formats(world: World) -> None:
    """list_creative_formats knows every format a product asks for"""
    result = await world.buyer.list_creative_formats(ListCreativeFormatsRequest())
    known = {entry.format_id.id for entry in done(result, ListCreativeFormatsResponse).formats}
    asked = {ref["id"] for product in world.kept["products"] for ref in product.get("format_ids") or []}
    assert asked <= known, f"unknown formats: {sorted(asked - known)}"
