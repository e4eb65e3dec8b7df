INSERT INTO proposals (
    tenant, holder, id, state, payload, recipes, products, expires_at, media_buy_id, buyer_account,
    buyer_principal, packages, hold, held_until, created_at, updated_at, forget_at
) VALUES (
    :tenant, :holder, :id, :state, :payload, :recipes, :products, :expires_at, :media_buy_id, :buyer_account,
    :buyer_principal, :packages, :hold, :held_until, :created_at, :updated_at, :forget_at
)
ON CONFLICT (tenant, holder, id) DO UPDATE SET
    state = excluded.state, payload = excluded.payload, recipes = excluded.recipes, products = excluded.products,
    expires_at = excluded.expires_at, media_buy_id = excluded.media_buy_id,
    buyer_account = excluded.buyer_account, buyer_principal = excluded.buyer_principal, packages = excluded.packages, hold = excluded.hold,
    held_until = excluded.held_until, created_at = excluded.created_at, updated_at = excluded.updated_at,
    forget_at = excluded.forget_at
