INSERT INTO {schema}.proposals (
    tenant, holder, id, state, payload, recipes, products, expires_at, media_buy_id, buyer_account,
    buyer_principal, packages, hold, held_until, created_at, updated_at, forget_at
) VALUES (
    :tenant, :holder, :id, :state, :payload, :recipes, :products, :expires_at, :media_buy_id, :buyer_account,
    :buyer_principal, :packages, :hold, :held_until, :created_at, :updated_at, :forget_at
)
ON CONFLICT (tenant, holder, id) DO NOTHING
