// Lets the official TypeScript runner judge the webhooks of a running agent: that they come, come again with the same key
// after failures, and are signed by a key that the agent publishes.
//
// Run by `cargo xtask interop`: webhooks.mjs FOLDER AGENT, where FOLDER has the package and AGENT is the address of MCP.

import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, agent] = process.argv.slice(2);
const load = createRequire(join(folder, 'package.json'));
const { runStoryboard } = load('@adcp/sdk/testing');
const { StaticJwksResolver } = load('@adcp/sdk/signing');

// An order that waits for the reviewer, and so ends as a task.
const order = (step) => ({
  account: { account_id: 'acct_interop_webhooks' },
  brand: { domain: 'acmeoutdoor.example' },
  start_time: new Date(Date.now() + 86_400_000).toISOString(),
  end_time: new Date(Date.now() + 11 * 86_400_000).toISOString(),
  packages: [
    { product_id: 'northwind_ctv_premium', pricing_option_id: 'cpm_usd_guaranteed', budget: 60_000 },
  ],
  push_notification_config: { url: `{{runner.webhook_url:${step}}}`, operation_id: `op-${step}` },
  idempotency_key: `$generate:uuid_v4#${step}`,
  context: { correlation_id: step },
});

const phase = (id, expectation) => ({
  id,
  title: id,
  steps: [
    {
      id: `order_${id}`,
      title: `an order, for ${id}`,
      task: 'create_media_buy',
      schema_ref: 'media-buy/create-media-buy-request.json',
      stateful: false,
      sample_request: order(`order_${id}`),
    },
    { id: `expect_${id}`, title: `its webhook, for ${id}`, triggered_by: `order_${id}`, stateful: true, ...expectation },
  ],
});

const storyboard = {
  id: 'webhooks_of_a_running_agent',
  version: '1.0.0',
  title: 'Webhooks of a running agent',
  category: 'core',
  summary: 'They arrive, they are repeated under one key, they are signed.',
  track: 'core',
  agent: { interaction_model: 'webhook_emitter', capabilities: ['emits_webhooks'] },
  caller: { role: 'buyer_agent' },
  phases: [
    phase('arrival', {
      task: 'expect_webhook',
      timeout_seconds: 30,
      expect_idempotency_key: true,
      webhook_payload_schema_ref: 'core/mcp-webhook-payload.json',
    }),
    phase('repetition', {
      task: 'expect_webhook_retry_keys_stable',
      retry_trigger: { count: 3, http_status: 503 },
      timeout_seconds: 90,
      expect_min_deliveries: 2,
    }),
    phase('signature', {
      task: 'expect_webhook_signature_valid',
      timeout_seconds: 30,
      require_tag: 'adcp/webhook-signing/v1',
    }),
  ],
};

const { keys } = await (await fetch(new URL('/.well-known/jwks.json', agent))).json();
const result = await runStoryboard(agent, storyboard, {
  protocol: 'mcp',
  allow_http: true,
  auth: { type: 'bearer', token: process.env.ADCP_TOKEN },
  webhook_receiver: { mode: 'loopback_mock' },
  contracts: ['webhook_receiver_runner'],
  webhook_signing: { jwks: new StaticJwksResolver(keys) },
});

let passed = 0;
const steps = result.phases.flatMap((found) => found.steps);
for (const step of steps) {
  const good = step.passed && !step.skipped;
  passed += good ? 1 : 0;
  console.log(`${good ? 'ok  ' : 'FAIL'} ${step.step_id}`);
  for (const check of step.validations ?? []) {
    if (!check.passed || good) console.log(`       ${check.passed ? '' : 'failed: '}${check.description}`);
  }
  if (!good) console.log(`       ${step.error ?? step.skip_reason ?? 'no reason given'}`);
}
console.log(`the official runner: ${passed} of ${steps.length} steps passed`);
// The runner keeps sockets open.
process.exit(passed === steps.length && steps.length === 6 ? 0 : 1);
