// Sets of policies that change under full load: every call is decided by one whole set, and none is lost.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Keepgate, Program, assert, equal, freePort, node, root, sleep, test, until } from './harness.mjs';

const SHIFTY = path.join(root, 'tests/e2e/shifty_server.mjs');
const CLIENTS = 24, SWAPS = 8, CALLS = 100; // of each swap, at least
const find = { name: 'find', description: 'Finds', inputSchema: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] } };
// Two sets that both permit (denials in such numbers would have the guardian pause the session), by another policy.
const set = (id) => ({ 'a.cedar': `@id("${id}")\npermit (principal, action == Gate::Action::"mail/find", resource) when { context.args.to like "bob@*" };\n` });
const broken = 'forbid (principal, action == Gate::Action::"mail/find", resource) when { context.args.nobody == 1 };\n';

let keepgate, token, folder;

function write(files) {
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
}

// In a process of its own: this one has clients to serve.
async function load() {
  const p = new Program(path.join(keepgate.bin, 'keepgate'), ['policy', 'load', '--json', '--state', keepgate.state]);
  const status = await new Promise((r) => p.child.on('close', r));
  return { status, text: p.output };
}

// The harness takes a megabyte at most.
function audit() {
  const r = spawnSync(path.join(keepgate.bin, 'keepgate'), ['audit', 'export', '--format', 'jsonl', '--state', keepgate.state], { encoding: 'utf8', maxBuffer: 1 << 29 });
  equal(r.status, 0, `audit export: ${r.stderr}`);
  return r.stdout.trim().split('\n').map((l) => JSON.parse(l));
}

test('swap: a server, and a folder of policies', async () => {
  const port = await freePort();
  await new Program(node, [SHIFTY, String(port), JSON.stringify([find])]).listening(port);
  folder = path.join(fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'keepgate-swap-')), 'policies');
  fs.mkdirSync(folder);
  write(set('one'));
  keepgate = await new Keepgate({ mail: { url: `http://127.0.0.1:${port}/mcp`, tiers: { '*': 'read' } } }, { policy: { dir: folder } }).start();
  ({ token } = keepgate.grant('*/*', 'read'));
  await keepgate.ready(token, 'mail');
});

test('swap: under load, with a broken set among them, each call is decided by a whole one', async () => {
  const sets = new Map(); // the id of its policy, by the hash of a set
  let running = true, said = 0;
  const client = async () => {
    const { send: post } = await keepgate.legacy(token);
    for (let id = 1; running; id++) {
      const r = await post({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'mail__find', arguments: { to: 'bob@example.com' } } });
      const body = await r.json();
      assert(r.status === 200 && body.result?.isError !== true && body.error === undefined, `${r.status} ${JSON.stringify(body)}`);
      said++;
    }
  };
  const status = JSON.parse(keepgate.cli(['policy', 'status', '--json']));
  sets.set(status.sha256, 'one');
  const clients = Promise.all(Array.from({ length: CLIENTS }, client));
  clients.catch(() => (running = false));
  for (let i = 0; i < SWAPS; i++) {
    const began = Date.now(), bad = i % 4 === 3, id = i % 2 ? 'one' : 'two';
    write({ ...set(id), ...(bad && { 'b.cedar': broken }) });
    const { status, text } = await load();
    if (bad) assert(status !== 0 && /b\.cedar:1:\d+: /.test(text), `a broken set was taken: ${text}`);
    else sets.set(JSON.parse(text).sha256, id);
    const before = said;
    await sleep(Math.max(0, 1000 - (Date.now() - began)));
    await until('calls under it', () => said > before + CALLS || !running);
    if (!running) break;
  }
  running = false;
  await clients;

  const calls = audit().filter((e) => e.kind === 'call' && e.phase === 'intent' && e.tool?.name === 'find');
  equal(calls.length, said, 'calls on record');
  equal(sets.size, 2, 'sets');
  const by = { one: 0, two: 0 };
  for (const e of calls) {
    assert(sets.has(e.policy_sha256), `a set that was never loaded decided: ${e.policy_sha256}`);
    equal(e.facts.policies, [sets.get(e.policy_sha256)], 'the policies that decided');
    by[sets.get(e.policy_sha256)]++;
  }
  assert(by.one > CALLS && by.two > CALLS, `too few calls to tell: ${JSON.stringify(by)}`);
  keepgate.cli(['audit', 'verify']);
  equal(await keepgate.stop(), 0, 'exit status');
});
