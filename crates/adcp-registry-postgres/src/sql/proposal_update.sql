UPDATE {schema}.proposals SET
    state = :state, payload = :payload, recipes = :recipes, products = :products, expires_at = :expires_at,
    media_buy_id = :media_buy_id, buyer_account = :buyer_account, buyer_principal = :buyer_principal,
    packages = :packages, hold = :hold, held_until = :held_until, created_at = :created_at,
    updated_at = :updated_at, forget_at = :forget_at
WHERE tenant = :tenant AND holder = :holder AND id = :id
