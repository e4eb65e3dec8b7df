-- A file of schema 1 with rows of every kind, as that version wrote it. Never edited.

BEGIN TRANSACTION;
CREATE TABLE adcp_migrations (
    number INTEGER PRIMARY KEY, checksum TEXT NOT NULL
) STRICT;
INSERT INTO "adcp_migrations" VALUES(1,'fdfc092b174f77355517774836d351b35507d6f9eea44c51be27ca95a30e1c9a');
CREATE TABLE calls (
    tenant     TEXT NOT NULL,
    account    TEXT NOT NULL,
    principal  TEXT NOT NULL,
    session    TEXT NOT NULL,
    key        TEXT NOT NULL,
    tool       TEXT NOT NULL,
    hash       BLOB NOT NULL,
    token      BLOB NOT NULL,
    state      TEXT NOT NULL,
    reply      TEXT,
    claimed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    forget_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, account, principal, session, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "calls" VALUES('default','=acme','agency','','k_expired','create_media_buy',X'0101010101010101010101010101010101010101010101010101010101010101',X'29C8467BF2533031323747543C3B7D29','replied','{}',1795276925247320,1795276925247321,1795276985247321);
INSERT INTO "calls" VALUES('default','=acme','agency','','k_fenced','create_media_buy',X'0101010101010101010101010101010101010101010101010101010101010101',X'CFF845C4A8E42AEC60766B1769DC710B','fenced',NULL,1795276925246897,4948876925246897,8102476925246897);
INSERT INTO "calls" VALUES('default','=acme','agency','','k_replied','create_media_buy',X'0101010101010101010101010101010101010101010101010101010101010101',X'DF5F54CCB00CBAB30E322C2E1476CEB6','replied','{"media_buy_id":"mb_9"}',1795276925246372,4948876925246372,8102476925246372);
INSERT INTO "calls" VALUES('default','=acme','agency','','k_running','create_media_buy',X'0101010101010101010101010101010101010101010101010101010101010101',X'7C78676C7EA8A1BEE93025D168896E6B','running',NULL,1795276925246029,4948876925246029,8102476925246029);
INSERT INTO "calls" VALUES('default','=acme','agency','','k_with_task','create_media_buy',X'0101010101010101010101010101010101010101010101010101010101010101',X'7DF527C1D9DC592BEB693B010EDF1948','replied','{"status":"submitted","task_id":"t_replied"}',1795276925247743,4948876925247743,8102476925247743);
INSERT INTO "calls" VALUES('default','=acme','agency','=conversation','k_replied','get_products',X'0202020202020202020202020202020202020202020202020202020202020202',X'6ED51402D318B71B6F81342ADB30091B','running',NULL,1795276925248259,4948876925248259,8102476925248259);
CREATE TABLE events (
    number             INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant             TEXT NOT NULL,
    key                TEXT NOT NULL,
    account            TEXT NOT NULL,
    principal          TEXT NOT NULL,
    task               TEXT NOT NULL,
    task_type          TEXT NOT NULL,
    status             TEXT NOT NULL,
    url                TEXT NOT NULL,
    scheme             TEXT,
    sealed_credentials TEXT,
    body               TEXT NOT NULL,
    sealed_body        INTEGER NOT NULL,
    queued_at          INTEGER NOT NULL,
    UNIQUE (tenant, key)
) STRICT;
INSERT INTO "events" VALUES(1,'default','whk_dcdb43c7fa7d7ab5ff630dba25dced19','=acme','agency','t_bought','create_media_buy','completed','https://buyer.example/hook','HMAC-SHA256','whk_dcdb43c7fa7d7ab5ff630dba25dced19|reyub eht fo slaitnederc','whk_dcdb43c7fa7d7ab5ff630dba25dced19|}"reyub eht fo nekot":"nekot","Z772242.50:20:61T12-11-6202":"pmatsemit","yub_aidem_etaerc":"epyt_ksat","thguob_t":"di_ksat","detelpmoc":"sutats",}"detelpmoc":"sutats",][:"segakcap","1_bm":"di_yub_aidem",}"thguob_t":"ecart",]"😀",llun,5.1[:"a"{:"txetnoc"{:"tluser","yub-aidem":"locotorp","1_po":"di_noitarepo","91decd52abd036ff5ba7d7af7c34bdcd_khw":"yek_ycnetopmedi","yub-aidem":"niamod",}"thguob_t":"ecart",]"😀",llun,5.1[:"a"{:"txetnoc"{',1,1795276925242277);
INSERT INTO "events" VALUES(2,'default','whk_f6cbdf4f4c3d9db08396b7d286cd74d2','=acme','agency','t_completed','create_media_buy','completed','https://buyer.example/hook',NULL,NULL,'{"context":{"a":[1.5,null,"😀"],"trace":"t_completed"},"domain":"media-buy","idempotency_key":"whk_f6cbdf4f4c3d9db08396b7d286cd74d2","operation_id":"op_1","protocol":"media-buy","result":{"context":{"a":[1.5,null,"😀"],"trace":"t_completed"},"media_buy_id":"mb_2","packages":[],"status":"completed"},"status":"completed","task_id":"t_completed","task_type":"create_media_buy","timestamp":"2026-11-21T16:02:05.243314Z"}',0,1795276925243314);
INSERT INTO "events" VALUES(3,'default','whk_39d50fa88300943757e77ae601124c85','=acme','agency','t_failed','create_media_buy','failed','https://buyer.example/hook',NULL,NULL,'{"context":{"a":[1.5,null,"😀"],"trace":"t_failed"},"domain":"media-buy","idempotency_key":"whk_39d50fa88300943757e77ae601124c85","operation_id":"op_1","protocol":"media-buy","result":{"adcp_error":{"code":"SERVICE_UNAVAILABLE","message":"the seller cannot answer at the moment","recovery":"transient","suggestion":"send the same request again later"},"context":{"a":[1.5,null,"😀"],"trace":"t_failed"},"errors":[{"code":"SERVICE_UNAVAILABLE","message":"the seller cannot answer at the moment","recovery":"transient","suggestion":"send the same request again later"}],"status":"failed"},"status":"failed","task_id":"t_failed","task_type":"create_media_buy","timestamp":"2026-11-21T16:02:05.243986Z"}',0,1795276925243986);
INSERT INTO "events" VALUES(4,'default','whk_63a22bc420e25a83a601c59ce205f565','=acme','agency','t_canceled','create_media_buy','canceled','https://buyer.example/hook',NULL,NULL,'{"context":{"a":[1.5,null,"😀"],"trace":"t_canceled"},"domain":"media-buy","idempotency_key":"whk_63a22bc420e25a83a601c59ce205f565","message":"no longer wanted","operation_id":"op_1","protocol":"media-buy","result":{"context":{"a":[1.5,null,"😀"],"trace":"t_canceled"},"message":"no longer wanted","status":"canceled"},"status":"canceled","task_id":"t_canceled","task_type":"create_media_buy","timestamp":"2026-11-21T16:02:05.244678Z"}',0,1795276925244678);
INSERT INTO "events" VALUES(5,'default','whk_b42e88d377219f90d48675397d52fb10','=acme','agency','t_rejected','create_media_buy','rejected','https://buyer.example/hook',NULL,NULL,'{"context":{"a":[1.5,null,"😀"],"trace":"t_rejected"},"domain":"media-buy","idempotency_key":"whk_b42e88d377219f90d48675397d52fb10","operation_id":"op_1","protocol":"media-buy","result":{"adcp_error":{"code":"POLICY_VIOLATION","field":"packages[0]","message":"not on this site","recovery":"correctable"},"context":{"a":[1.5,null,"😀"],"trace":"t_rejected"},"errors":[{"code":"POLICY_VIOLATION","field":"packages[0]","message":"not on this site","recovery":"correctable"}],"status":"rejected"},"status":"rejected","task_id":"t_rejected","task_type":"create_media_buy","timestamp":"2026-11-21T16:02:05.245325Z"}',0,1795276925245325);
CREATE TABLE proposals (
    tenant          TEXT NOT NULL,
    holder          TEXT NOT NULL,
    id              TEXT NOT NULL,
    state           TEXT NOT NULL,
    payload         TEXT NOT NULL,
    recipes         TEXT NOT NULL,
    products        TEXT NOT NULL,
    expires_at      INTEGER,
    media_buy_id    TEXT,
    buyer_account   TEXT,
    buyer_principal TEXT,
    packages        TEXT NOT NULL,
    hold            BLOB,
    held_until      INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    forget_at       INTEGER NOT NULL,
    PRIMARY KEY (tenant, holder, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "proposals" VALUES('default','=acme','p_bought','consumed','{"allocations":[{"allocation_percentage":100,"pricing_option_id":"cpm","product_id":"prod_1"}],"expires_at":"2126-01-01T00:00:00Z","name":"p_bought","proposal_id":"p_bought","proposal_status":"committed"}','{"prod_1":{"data":{"template":7},"kind":"line_item","version":2}}','{"prod_1":{"pricing_options":[{"pricing_option_id":"cpm"}],"product_id":"prod_1"}}',4922899200000000,'mb_1','=acme','agency','{}',NULL,NULL,1795276925201751,1795276925242277,4923504000000000);
INSERT INTO "proposals" VALUES('default','=acme','p_draft','draft','{"allocations":[{"allocation_percentage":100,"pricing_option_id":"cpm","product_id":"prod_1"}],"name":"p_draft","proposal_id":"p_draft","proposal_status":"draft"}','{"prod_1":{"data":{"template":7},"kind":"line_item","version":2}}','{"prod_1":{"pricing_options":[{"pricing_option_id":"cpm"}],"product_id":"prod_1"}}',NULL,NULL,NULL,NULL,'{}',NULL,NULL,1795276925183121,1795276925183121,4948876925183121);
INSERT INTO "proposals" VALUES('default','=acme','p_finalized','draft','{"allocations":[{"allocation_percentage":100,"pricing_option_id":"cpm","product_id":"prod_1"}],"name":"p_finalized","proposal_id":"p_finalized","proposal_status":"draft"}','{"prod_1":{"data":{"template":7},"kind":"line_item","version":2}}','{"prod_1":{"pricing_options":[{"pricing_option_id":"cpm"}],"product_id":"prod_1"}}',NULL,NULL,NULL,NULL,'{}',NULL,NULL,1795276925183121,1795276925183121,4948876925183121);
INSERT INTO "proposals" VALUES('default','=acme','p_firm','committed','{"allocations":[{"allocation_percentage":100,"pricing_option_id":"cpm","product_id":"prod_1"}],"expires_at":"2126-01-01T00:00:00Z","name":"p_firm","proposal_id":"p_firm","proposal_status":"committed"}','{"prod_1":{"data":{"template":7},"kind":"line_item","version":2}}','{"prod_1":{"pricing_options":[{"pricing_option_id":"cpm"}],"product_id":"prod_1"}}',4922899200000000,NULL,NULL,NULL,'{}',NULL,NULL,1795276925201751,1795276925201751,4923504000000000);
INSERT INTO "proposals" VALUES('default','=acme','p_held','consuming','{"allocations":[{"allocation_percentage":100,"pricing_option_id":"cpm","product_id":"prod_1"}],"expires_at":"2126-01-01T00:00:00Z","name":"p_held","proposal_id":"p_held","proposal_status":"committed"}','{"prod_1":{"data":{"template":7},"kind":"line_item","version":2}}','{"prod_1":{"pricing_options":[{"pricing_option_id":"cpm"}],"product_id":"prod_1"}}',4922899200000000,NULL,NULL,NULL,'{}',X'5831C6F5A7B7BA1DC6F747179F950E03',NULL,1795276925201751,1795276925237832,253402207200000000);
INSERT INTO "proposals" VALUES('default','=acme','p_refined','draft','{"allocations":[{"allocation_percentage":100,"pricing_option_id":"cpm","product_id":"prod_1"}],"name":"p_refined","proposal_id":"p_refined","proposal_status":"draft"}','{"prod_1":{"data":{"template":7},"kind":"line_item","version":2}}','{"prod_1":{"pricing_options":[{"pricing_option_id":"cpm"}],"product_id":"prod_1"}}',NULL,NULL,NULL,NULL,'{}',NULL,NULL,1795276925183121,1795276925183121,4948876925183121);
INSERT INTO "proposals" VALUES('default','=acme','p_released','committed','{"allocations":[{"allocation_percentage":100,"pricing_option_id":"cpm","product_id":"prod_1"}],"expires_at":"2126-01-01T00:00:00Z","name":"p_released","proposal_id":"p_released","proposal_status":"committed"}','{"prod_1":{"data":{"template":7},"kind":"line_item","version":2}}','{"prod_1":{"pricing_options":[{"pricing_option_id":"cpm"}],"product_id":"prod_1"}}',4922899200000000,NULL,NULL,NULL,'{}',NULL,NULL,1795276925201751,1795276925201751,4923504000000000);
CREATE TABLE tasks (
    tenant      TEXT NOT NULL,
    id          TEXT NOT NULL,
    account     TEXT NOT NULL,
    principal   TEXT NOT NULL,
    tool        TEXT NOT NULL,
    task_type   TEXT NOT NULL,
    protocol    TEXT NOT NULL,
    phase       TEXT NOT NULL,
    status      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    deadline    INTEGER,
    lease_token BLOB,
    lease_until INTEGER,
    due_at      INTEGER,
    context     TEXT,
    progress    TEXT,
    question    TEXT,
    outcome     TEXT,
    effects     TEXT NOT NULL,
    has_webhook INTEGER NOT NULL,
    history     TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "tasks" VALUES('default','t_bought','=acme','agency','create_media_buy','create_media_buy','media-buy','open','completed',1795276925241830,1795276925242277,1795276925242277,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_bought"}',NULL,NULL,'{"completed":{"media_buy_id":"mb_1","packages":[]}}','{"notify":{"event_key":"whk_dcdb43c7fa7d7ab5ff630dba25dced19","operation_id":"op_1","scheme":"HMAC-SHA256","sealed_credentials":"t_bought|reyub eht fo slaitnederc","sealed_token":"t_bought|reyub eht fo nekot","url":"https://buyer.example/hook"},"purchase":{"account":"acme","principal":null,"proposal":"p_bought","tenant":"default","token":"ef626432e1dadcefe7cad3e859c4795f"}}',1,'[{"at":1795276925241830,"status":"submitted"},{"at":1795276925242277,"status":"completed"}]');
INSERT INTO "tasks" VALUES('default','t_buys','=acme','agency','create_media_buy','create_media_buy','media-buy','open','submitted',1795276925238206,1795276925238206,NULL,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_buys"}',NULL,NULL,NULL,'{"notify":{"event_key":"whk_be67417629e7b504dd9123d732c09842","operation_id":"op_1","scheme":"HMAC-SHA256","sealed_credentials":"t_buys|reyub eht fo slaitnederc","sealed_token":"t_buys|reyub eht fo nekot","url":"https://buyer.example/hook"},"purchase":{"account":"acme","principal":null,"proposal":"p_held","tenant":"default","token":"5831c6f5a7b7ba1dc6f747179f950e03"}}',1,'[{"at":1795276925238206,"status":"submitted"}]');
INSERT INTO "tasks" VALUES('default','t_canceled','=acme','agency','create_media_buy','create_media_buy','media-buy','open','canceled',1795276925244425,1795276925244678,1795276925244678,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_canceled"}',NULL,NULL,'{"canceled":"no longer wanted"}','{"notify":{"event_key":"whk_63a22bc420e25a83a601c59ce205f565","operation_id":"op_1","url":"https://buyer.example/hook"}}',1,'[{"at":1795276925244425,"status":"submitted"},{"at":1795276925244678,"status":"canceled"}]');
INSERT INTO "tasks" VALUES('default','t_completed','=acme','agency','create_media_buy','create_media_buy','media-buy','open','completed',1795276925243051,1795276925243314,1795276925243314,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_completed"}',NULL,NULL,'{"completed":{"media_buy_id":"mb_2","packages":[]}}','{"notify":{"event_key":"whk_f6cbdf4f4c3d9db08396b7d286cd74d2","operation_id":"op_1","url":"https://buyer.example/hook"}}',1,'[{"at":1795276925243051,"status":"submitted"},{"at":1795276925243314,"status":"completed"}]');
INSERT INTO "tasks" VALUES('default','t_drafts','=acme','agency','create_media_buy','create_media_buy','media-buy','open','submitted',1795276925234971,1795276925234971,NULL,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_drafts"}',NULL,NULL,NULL,'{"drafts":{"commit_for_ms":null,"keep_ms":3153600000000},"refines":[{"account":"acme","principal":null,"proposal":"p_refined","tenant":"default"}]}',0,'[{"at":1795276925234971,"status":"submitted"}]');
INSERT INTO "tasks" VALUES('default','t_enqueuing','=acme','agency','create_media_buy','create_media_buy','media-buy','enqueuing','submitted',1795276925209570,1795276925209570,NULL,4948876925209570,NULL,NULL,4948876925209570,'{"a":[1.5,null,"😀"],"trace":"t_enqueuing"}',NULL,NULL,NULL,'{}',0,'[{"at":1795276925209570,"status":"submitted"}]');
INSERT INTO "tasks" VALUES('default','t_failed','=acme','agency','create_media_buy','create_media_buy','media-buy','open','failed',1795276925243729,1795276925243986,1795276925243986,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_failed"}',NULL,NULL,'{"failed":{"code":"SERVICE_UNAVAILABLE","message":"the seller cannot answer at the moment","recovery":"transient","suggestion":"send the same request again later"}}','{"notify":{"event_key":"whk_39d50fa88300943757e77ae601124c85","operation_id":"op_1","url":"https://buyer.example/hook"}}',1,'[{"at":1795276925243729,"status":"submitted"},{"at":1795276925243986,"status":"failed"}]');
INSERT INTO "tasks" VALUES('default','t_finalizes','=acme','agency','create_media_buy','create_media_buy','media-buy','open','submitted',1795276925235435,1795276925235435,NULL,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_finalizes"}',NULL,NULL,NULL,'{"finalizes":[{"account":"acme","principal":null,"proposal":"p_finalized","tenant":"default"}]}',0,'[{"at":1795276925235435,"status":"submitted"}]');
INSERT INTO "tasks" VALUES('default','t_leased','=acme','agency','create_media_buy','create_media_buy','media-buy','open','submitted',1795276925234027,1795276925234027,NULL,NULL,X'09090909090909090909090909090909',4948876925234027,4948876925234027,'{"a":[1.5,null,"😀"],"trace":"t_leased"}',NULL,NULL,NULL,'{}',0,'[{"at":1795276925234027,"status":"submitted"}]');
INSERT INTO "tasks" VALUES('default','t_overdue','=acme','agency','create_media_buy','create_media_buy','media-buy','open','submitted',1795276925234426,1795276925234426,NULL,1795276925234427,NULL,NULL,1795276925234427,'{"a":[1.5,null,"😀"],"trace":"t_overdue"}',NULL,NULL,NULL,'{"notify":{"event_key":"whk_c8dc4da4267a2c8b57f08987efda48dd","operation_id":"op_1","url":"https://buyer.example/hook"}}',1,'[{"at":1795276925234426,"status":"submitted"}]');
INSERT INTO "tasks" VALUES('default','t_paused','=acme','agency','create_media_buy','create_media_buy','media-buy','open','input-required',1795276925221818,1795276925229889,NULL,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_paused"}',NULL,'{"question":"go on?","reason":"APPROVAL_REQUIRED"}',NULL,'{}',0,'[{"at":1795276925221818,"status":"submitted"},{"at":1795276925229889,"status":"input-required"}]');
INSERT INTO "tasks" VALUES('default','t_rejected','=acme','agency','create_media_buy','create_media_buy','media-buy','open','rejected',1795276925245076,1795276925245325,1795276925245325,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_rejected"}',NULL,NULL,'{"rejected":{"code":"POLICY_VIOLATION","field":"packages[0]","message":"not on this site","recovery":"correctable"}}','{"notify":{"event_key":"whk_b42e88d377219f90d48675397d52fb10","operation_id":"op_1","url":"https://buyer.example/hook"}}',1,'[{"at":1795276925245076,"status":"submitted"},{"at":1795276925245325,"status":"rejected"}]');
INSERT INTO "tasks" VALUES('default','t_replied','=acme','agency','create_media_buy','create_media_buy','media-buy','open','submitted',1795276925247973,1795276925247973,NULL,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_replied"}',NULL,NULL,NULL,'{}',0,'[{"at":1795276925247973,"status":"submitted"}]');
INSERT INTO "tasks" VALUES('default','t_sealed','=acme','agency','create_media_buy','create_media_buy','media-buy','open','submitted',1795276925234706,1795276925234706,NULL,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_sealed"}',NULL,NULL,NULL,'{"notify":{"event_key":"whk_edb9c1617368d3a931ba414a28282c12","operation_id":"op_1","scheme":"HMAC-SHA256","sealed_credentials":"t_sealed|reyub eht fo slaitnederc","sealed_token":"t_sealed|reyub eht fo nekot","url":"https://buyer.example/hook"}}',1,'[{"at":1795276925234706,"status":"submitted"}]');
INSERT INTO "tasks" VALUES('default','t_submitted','=acme','agency','create_media_buy','create_media_buy','media-buy','open','submitted',1795276925206540,1795276925206540,NULL,NULL,NULL,NULL,NULL,'{"a":[1.5,null,"😀"],"trace":"t_submitted"}',NULL,NULL,NULL,'{}',0,'[{"at":1795276925206540,"status":"submitted"}]');
INSERT INTO "tasks" VALUES('default','t_working','=acme','agency','create_media_buy','create_media_buy','media-buy','open','working',1795276925213895,1795276925216118,NULL,4948876925213895,NULL,NULL,4948876925213895,'{"a":[1.5,null,"😀"],"trace":"t_working"}','{"current_step":"booking","percentage":40.0,"rows":3}',NULL,NULL,'{}',0,'[{"at":1795276925213895,"status":"submitted"},{"at":1795276925216118,"progress":{"current_step":"booking","percentage":40.0,"rows":3},"status":"working"}]');
INSERT INTO "tasks" VALUES('other','t_elsewhere','','agency','sync_creatives','sync_creatives','creative','open','submitted',1795276925245734,1795276925245734,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}',0,'[{"at":1795276925245734,"status":"submitted"}]');
CREATE INDEX tasks_of_caller ON tasks (tenant, principal, account, created_at, id);
CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_by_end ON tasks (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX calls_by_end ON calls (forget_at);
CREATE INDEX calls_unresolved ON calls (tenant, claimed_at) WHERE state IN ('running', 'fenced');
CREATE INDEX proposals_by_buy ON proposals (tenant, buyer_account, media_buy_id) WHERE media_buy_id IS NOT NULL;
CREATE INDEX proposals_by_end ON proposals (forget_at);
CREATE INDEX events_in_order ON events (tenant, number);
CREATE INDEX events_of_task ON events (tenant, task);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',5);
COMMIT;
