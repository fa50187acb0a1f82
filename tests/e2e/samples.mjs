// The scenarios behind the design's sample policies, through real calls, each with the policies on record that decided.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Keepgate, Program, assert, equal, freePort, node, root, test, until } from './harness.mjs';

const SHIFTY = path.join(root, 'tests/e2e/shifty_server.mjs');
const user = spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();
const samples = fs.readFileSync(path.join(root, 'tests/unit/policy_samples.cedar'), 'utf8');
const text = { type: 'string' };
const tool = (name, properties = {}) => ({ name, inputSchema: { type: 'object', properties, required: Object.keys(properties) } });
const servers = {
  github: { tools: [tool('list_issues', { repo: text }), tool('create_issue', { repo: text })], tiers: { list_issues: 'read', '*': 'write' }, environment: 'dev' },
  fs: {
    tools: [tool('write_file', { path: text }), tool('read_file', { path: text })],
    tiers: { read_file: 'read', '*': 'write' }, labels: { 'read_*': ['confidential', 'pii'] }, environment: 'staging',
  },
  db: {
    tools: [tool('count', {}), tool('drop_table', { table: text }), tool('odd', { x: { $ref: 'https://example.com/s.json' } })],
    tiers: { count: 'read', odd: 'read', '*': 'destructive' }, environment: 'prod',
  },
  safe: { tools: [tool('open', {})], tiers: { '*': 'read' }, min_trust: 2 },
};
const alice = (contractor) => ({ uid: { type: 'Gate::Human', id: 'alice@example.com' }, attrs: { issuer: 'test', contractor, max_trust: 3 }, parents: [] });
const agent = { uid: { type: 'Gate::Agent', id: 'test-agent' }, attrs: { trust: 1, attested: false }, parents: [] };

let keepgate, folder, post, session, token;

// Every day counts, and it is noon here: what is left of the hours is for the test to say.
function write(change = (t) => t, contractor = false) {
  const days = samples.replace('context.base.weekday <= 5', 'context.base.weekday <= 7');
  fs.writeFileSync(path.join(folder, 'samples.cedar'), change(days));
  fs.writeFileSync(path.join(folder, 'entities.json'), JSON.stringify([alice(contractor), agent]));
}

function load(...how) {
  write(...how);
  keepgate.cli(['policy', 'load']);
}

function noon() {
  const east = 12 - new Date().getUTCHours();
  return `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
}

const inside = (t) => t.replace('10.20.0.0/16', '127.0.0.0/8');

// Calls, and says what is on record of it: "allow" or "deny", and the policies that decided.
async function call(name, args) {
  const body = await (await post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } })).json();
  const e = keepgate.audit().filter((x) => x.kind === 'call' && x.phase === 'intent').at(-1);
  equal(body.result.isError === true, e.decision === 'deny', `${name}: ${JSON.stringify(body)}`);
  return { word: e.decision, policies: e.facts?.policies, text: body.result.content[0].text };
}

async function decides(name, args, word, policy) {
  const r = await call(name, args);
  assert(r.word === word && r.policies?.includes(policy), `${name} ${JSON.stringify(args)}: ${JSON.stringify(r)}, and not ${word} by ${policy}`);
}

test('samples: four servers behind them', async () => {
  const config = {};
  for (const [name, { tools, ...rest }] of Object.entries(servers)) {
    const port = await freePort();
    await new Program(node, [SHIFTY, String(port), JSON.stringify(tools)]).listening(port);
    config[name] = { url: `http://127.0.0.1:${port}/mcp`, ...rest };
  }
  folder = path.join(fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'keepgate-samples-')), 'policies');
  fs.mkdirSync(folder);
  // They speak of single tools: before those are pinned the set cannot hold.
  fs.writeFileSync(path.join(folder, 'samples.cedar'), 'permit (principal, action, resource);\n');
  keepgate = await new Keepgate(config, {
    policy: { dir: folder, time_zone: noon() }, operators: [{ user, human: 'oscar@example.com', mfa: true }],
  }).start();
  ({ token, session } = keepgate.grant('*/*'));
  await keepgate.ready(token, 'github', 'fs', 'db', 'safe');
  ({ send: post } = await keepgate.legacy(token));
  load();
});

test('samples: reading is allowed by itself, writing with a live consent', async () => {
  await decides('github__list_issues', { repo: 'a' }, 'allow', 'read-auto-allow');
  await decides('github__create_issue', { repo: 'a' }, 'allow', 'write-needs-consent');
});

test('samples: destroying from inside alone, with somebody else\'s approval of exactly these arguments', async () => {
  await decides('db__drop_table', { table: 't' }, 'deny', 'destructive-from-inside');
  load(inside);
  const asked = await call('db__drop_table', { table: 't' });
  keepgate.cli(['approvals', 'approve', /[0-9a-f]{32}/.exec(asked.text)[0]]);
  equal((await call('db__drop_table', { table: 'u' })).word, 'deny', 'other arguments');
  await decides('db__drop_table', { table: 't' }, 'allow', 'destructive-needs-approval');
  equal((await call('db__drop_table', { table: 't' })).word, 'deny', 'the second time');
});

test('samples: a contractor never in production', async () => {
  await decides('db__count', {}, 'allow', 'read-auto-allow');
  load(undefined, true);
  await decides('db__count', {}, 'deny', 'contractor-never-prod');
  await decides('github__list_issues', { repo: 'a' }, 'allow', 'read-auto-allow');
});

test('samples: nothing is written outside business hours', async () => {
  load((t) => t.replace('duration("8h")', 'duration("20h")').replace('duration("18h")', 'duration("23h")'));
  await decides('github__create_issue', { repo: 'a' }, 'deny', 'business-hours');
  await decides('github__list_issues', { repo: 'a' }, 'allow', 'read-auto-allow');
  load();
});

test('samples: files inside the workspace', async () => {
  await decides('fs__write_file', { path: '/srv/workspace/a' }, 'allow', 'write-needs-consent');
  await decides('fs__write_file', { path: '/etc/passwd' }, 'deny', 'fs-write-inside-workspace');
  await decides('fs__write_file', { path: '/srv/workspace/../../etc/passwd' }, 'deny', 'fs-write-inside-workspace');
});

// kill -9; then its successor serves.
async function killed(program) {
  const was = (await keepgate.roles()).find((p) => p.program === program);
  process.kill(was.pid, 'SIGKILL');
  await until(`another ${program}`, () => keepgate.status()?.some((p) => p.program === program && p.state === 'ready' && p.pid !== was.pid));
  await keepgate.ready(token, 'github', 'fs');
  ({ send: post } = await keepgate.legacy(token));
  await until('calls are made again', () => call('github__list_issues', { repo: 'a' }).then((r) => r.word === 'allow', () => false));
}

const labels = () => JSON.parse(keepgate.cli(['session', 'list', '--json'])).find((s) => s.id === session).labels;

test('samples: no exfiltration, whoever is killed between the read and the write', async () => {
  await decides('github__create_issue', { repo: 'public/a' }, 'allow', 'write-needs-consent');
  await decides('fs__write_file', { path: '/srv/workspace/a' }, 'allow', 'write-needs-consent');
  equal(labels(), [], 'labels before the read');
  await decides('fs__read_file', { path: '/srv/workspace/a' }, 'allow', 'read-auto-allow');
  for (const program of [undefined, 'gatewayd-broker', 'vaultd']) {
    if (program) await killed(program);
    await decides('github__create_issue', { repo: 'public/a' }, 'deny', 'no-exfiltration');
    await decides('github__create_issue', { repo: 'private/a' }, 'allow', 'write-needs-consent');
  }
  equal(labels(), ['confidential', 'pii'], 'labels after the read');
  const told = keepgate.audit().filter((e) => e.event === 'session.labelled');
  equal(told.length, 1, 'how often it is on record that the session was labelled');
  const clean = keepgate.grant('github/*').token;
  const { send } = await keepgate.legacy(clean);
  const other = await (await send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'github__create_issue', arguments: { repo: 'public/a' } } })).json();
  assert(!other.result.isError, `another session: ${JSON.stringify(other)}`);
  keepgate.cli(['session', 'clear', session]);
  await decides('github__create_issue', { repo: 'public/a' }, 'allow', 'write-needs-consent');
});

test('samples: quarantine, and the ceiling of trust', async () => {
  await decides('db__odd', { x: 1 }, 'deny', 'quarantine');
  await decides('safe__open', {}, 'deny', 'trust-ceiling');
  equal(await keepgate.stop(), 0, 'exit status');
});
