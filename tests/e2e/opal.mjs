// A set of policies pushed over HTTP, with requests of the form that an OPAL client sends to a cedar-agent.
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Keepgate, assert, build, equal, freePort, root, test, until } from './harness.mjs';

const rpc = (method, params, id = 1) => ({ jsonrpc: '2.0', id, method, params });
const notes = { command: path.join(build, 'notes'), tiers: { list_notes: 'read', add_note: 'write', wipe_notes: 'destructive' } };
const shipped = fs.readdirSync(path.join(root, 'policies/default')).filter((n) => n.endsWith('.cedar'));
const source = (name) => fs.readFileSync(path.join(root, 'policies/default', name), 'utf8');
const forbid = (id, tool) => `@id("${id}") forbid (principal, action == Gate::Action::"notes/${tool}", resource);\n`;
const SETTLE_MS = 300;
const TOKEN = `kga_${crypto.randomBytes(24).toString('base64url')}`;

let keepgate, base, token;

// As aiohttp writes what OPAL's store asks for: quote_plus() of the id in the path, {"content"} as the body.
const id = (name) => encodeURIComponent(name).replace(/%20/g, '+');
const push = (method, where, json, { as = TOKEN, type = 'application/json' } = {}) => fetch(`${base}/v1${where}`, {
  method,
  headers: { accept: '*/*', 'user-agent': 'Python/3.11 aiohttp/3.9', ...(as ? { authorization: `Bearer ${as}` } : {}), ...(json === undefined ? {} : { 'content-type': type }) },
  body: json === undefined ? undefined : typeof json === 'string' ? json : JSON.stringify(json),
});
const putPolicy = (name, content) => push('PUT', `/policies/${id(name)}`, { content });
const staged = async () => (await (await push('GET', '/status')).json());
const inForce = () => until('what is staged is in force', async () => (await staged()).staged === 'in force');
const policyStatus = () => JSON.parse(keepgate.cli(['policy', 'status', '--json']));
const events = (kind) => keepgate.audit().filter((e) => e.event === kind);

async function call(name, args = {}) {
  const { send } = await keepgate.legacy(token);
  return (await send(rpc('tools/call', { name, arguments: args }))).json();
}
const isAllowed = (r) => r.result !== undefined && !r.result.isError;
const told = (r) => r.result?.content?.[0]?.text ?? JSON.stringify(r.error);
const list = () => call('notes__list_notes');
const reason = async (r, status) => {
  const body = await r.json();
  equal([r.status, body.code], [status, status], `status of ${JSON.stringify(body)}`);
  return body.reason;
};

const kill = async (name) => {
  const find = () => keepgate.status()?.find((p) => p.program === name);
  const { pid } = await until(`${name} runs`, find);
  process.kill(pid, 'SIGKILL');
  await until(`${name} is back`, () => {
    const now = find();
    return now !== undefined && now.pid > 0 && now.pid !== pid;
  });
};

test('opal: until a set is pushed everything is denied, and says why', async () => {
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  const hash = crypto.createHash('sha256').update(TOKEN).digest('hex');
  keepgate = await new Keepgate({ notes }, { policy: { opal: { listen: { port }, settle_ms: SETTLE_MS, callers: [{ name: 'opal-1', token_sha256: hash }] } } }).start();
  ({ token } = keepgate.grant('*/*'));
  await until('the broker waits for a push', () => /pushed/.test(policyStatus().error ?? ''));
  const r = await until('a refusal', list);
  assert(!isAllowed(r), JSON.stringify(r));
  equal(await (await push('GET', '/policies')).json(), [], 'policies before any');
  equal((await fetch(`${base}/v1/`)).status, 200, 'liveness, without a token');
});

test('opal: a set comes policy by policy, is in force as a whole, and is on record with who sent it', async () => {
  for (const name of shipped) {
    const r = await putPolicy(`policies/${name}`, source(name));
    equal([r.status, (await r.json()).id], [200, `policies/${name}`], `answer to ${name}`);
  }
  equal((await push('PUT', '/data', [])).status, 204, 'entities');
  await inForce();
  await until('calls are allowed', async () => isAllowed(await list()));
  const loaded = events('policy.loaded').at(-1).members;
  equal([loaded.cause, loaded.source, loaded.by.caller], ['push', 'policy.opal', 'opal-1'], 'on record');
  assert(/^127\.0\.0\.1:\d+$/.test(loaded.by.source), JSON.stringify(loaded));
  equal(loaded.sha256, policyStatus().sha256, 'the set in force');
  assert(events('policy.loaded').length < shipped.length, 'each part was in force by itself');
  equal((await (await push('GET', '/policies')).json()).map((p) => p.id), shipped.map((n) => `policies/${n}`).sort(), 'ids');
  equal((await (await push('GET', `/policies/${id(`policies/${shipped[0]}`)}`)).json()).content, source(shipped[0]), 'content');
});

test('opal: a change is followed, a deletion too', async () => {
  equal((await putPolicy('more/no list.cedar', forbid('no-list', 'list_notes'))).status, 200, 'put');
  await inForce();
  const r = await list();
  assert(!isAllowed(r), JSON.stringify(r));
  equal((await push('DELETE', `/policies/${id('more/no list.cedar')}`)).status, 204, 'delete');
  await inForce();
  assert(isAllowed(await list()), 'the deleted policy still decides');
  equal((await push('DELETE', `/policies/${id('more/no list.cedar')}`)).status, 404, 'delete again');
});

test('opal: a fault is answered with its place and recorded with who sent it; the set before stays, also under load', async () => {
  const before = policyStatus().sha256;
  const load = Array.from({ length: 40 }, () => list());
  const why = await reason(await putPolicy('bad.cedar', 'permit (principal, action == Gate::Action::"nowhere/tool", resource);\n'), 400);
  assert(/^bad\.cedar:1:\d+: /m.test(why), why);
  assert((await Promise.all(load)).every(isAllowed), 'a call was refused');
  equal([policyStatus().sha256, (await staged()).staged], [before, 'refused'], 'the set in force');
  const refused = events('policy.refused').at(-1).members;
  equal([refused.cause, refused.by.caller, refused.sha256], ['push', 'opal-1', before], 'on record');
  assert(/bad\.cedar:1:/.test(refused.errors), refused.errors);
  equal((await putPolicy('bad.cedar', forbid('no-list', 'list_notes'))).status, 200, 'mended');
  await inForce();
  assert(!isAllowed(await list()), 'the mended policy does not decide');
});

test('opal: a policy that moves to another file is never lost in between', async () => {
  const why = await reason(await putPolicy('moved.cedar', forbid('no-list', 'list_notes')), 400);
  assert(/no-list/.test(why), why);
  assert(!isAllowed(await list()), 'a call was allowed in between');
  equal((await push('DELETE', '/policies/bad.cedar')).status, 204, 'the old place');
  await inForce();
  assert(!isAllowed(await list()), 'the policy was lost');
  equal((await push('DELETE', '/policies/moved.cedar')).status, 204, 'the new place');
  await inForce();
  assert(isAllowed(await list()), 'the deleted policy still decides');
});

test('opal: entities and the schema come at once, and are in force when they are answered', async () => {
  const alice = (trust) => [{ uid: { type: 'Gate::Human', id: 'alice@example.com' }, attrs: { issuer: '', contractor: false, max_trust: trust }, parents: [] }];
  const base_set = [...shipped.map((n) => ({ id: n, content: source(n) })),
    { id: 'trusted', content: '@id("trusted") forbid (principal is Gate::Human, action, resource) when { principal.max_trust < 5 };\n' }];
  equal((await push('PUT', '/policies', base_set)).status, 200, 'all policies');
  const [low, high] = [alice(1), alice(7)];
  const r = await push('PUT', '/data', low);
  assert(r.status === 204, `${r.status} ${await r.text()}`);
  assert(!isAllowed(await list()), 'trust 1 is enough');
  equal((await push('PUT', '/data', high)).status, 204, 'entities');
  assert(isAllowed(await list()), 'trust 7 is not enough');
  equal(await (await push('GET', '/data')).json(), high, 'entities given back');
  const why = await reason(await push('PUT', '/data', [{ uid: { type: 'Nobody::Knows', id: 'x' }, attrs: {}, parents: [] }]), 400);
  assert(/entities\.json/.test(why), why);
  assert(isAllowed(await list()), 'bad entities took effect');
  equal((await push('PUT', '/data', high)).status, 204, 'good ones again');
  equal((await push('PUT', '/schema', { content: 'namespace App { entity Thing; }' })).status, 204, 'schema');
  assert(/entity Thing/.test(keepgate.cli(['policy', 'schema'])), 'the schema has no Thing');
  equal((await push('DELETE', '/schema')).status, 204, 'no schema');
});

test('opal: without policies nothing is permitted, not even what comes with Keepgate', async () => {
  equal((await push('PUT', '/policies', [])).status, 200, 'no policies');
  equal((await push('DELETE', '/data')).status, 204, 'no entities');
  await inForce();
  equal(policyStatus().policies, 0, 'policies in force');
  const r = await list();
  assert(!isAllowed(r), JSON.stringify(r));
  equal((await push('PUT', '/policies', shipped.map((n) => ({ id: n, content: source(n) })))).status, 200, 'policies again');
  assert(isAllowed(await list()), 'refused with the shipped set');
});

test('opal: who may not, and what is no request, changes nothing', async () => {
  const before = policyStatus().sha256;
  for (const as of [null, `${TOKEN}x`, TOKEN.slice(0, -1), 'opal-1']) {
    await reason(await push('PUT', '/policies', [], { as }), 401);
    await reason(await push('GET', '/policies', undefined, { as }), 401);
  }
  const strangers = await until('refused tokens on record', () => events('push.refused').length > 1 && events('push.refused'));
  equal([...new Set(strangers.map((e) => `${e.members.reason_code} ${e.members.path}`))].sort(), ['token-missing /v1/policies', 'token-unknown /v1/policies'], 'on record');
  await reason(await push('PUT', '/policies/a', { content: 'x'.repeat(3 << 20) }), 413);
  await push('PUT', '/policies/a', { content: 'x'.repeat(5 << 20) }).then((r) => reason(r, 413), () => {});
  await reason(await push('PUT', '/policies/a', '{"content":'), 400);
  await reason(await push('PUT', '/policies/a', '{"content":"x","content":"y"}'), 400);
  await reason(await push('PUT', '/policies/a', { content: 7 }), 400);
  await reason(await push('PUT', '/policies/a', { content: 'a\u0000b' }), 400);
  await reason(await push('PUT', '/policies/a', { id: 'b', content: '' }), 400);
  await reason(await push('PUT', '/policies', [{ id: 'a', content: '' }, { id: 'a', content: '' }]), 400);
  await reason(await push('PUT', '/policies', {}), 400);
  await reason(await push('PUT', '/data', {}), 400);
  await reason(await push('PUT', '/policies/a', { content: '' }, { type: 'text/plain' }), 400);
  await reason(await push('POST', '/policies', { id: shipped[0], content: '' }), 409);
  await reason(await push('PUT', '/policies/%00', { content: '' }), 400);
  await reason(await push('PUT', '/policies/%ff', { content: '' }), 400);
  await reason(await push('PATCH', '/policies', []), 405);
  await reason(await push('GET', '/nothing'), 404);
  equal([policyStatus().sha256, (await staged()).staged], [before, 'in force'], 'the set in force');
});

test('opal: each end may be killed, and the whole stopped: the pushed set is in force again, and no other', async () => {
  equal((await putPolicy('no-list', forbid('no-list', 'list_notes'))).status, 200, 'put');
  await inForce();
  const before = policyStatus().sha256;
  for (const name of ['gatewayd-opal', 'gatewayd-broker']) {
    await kill(name);
    await until(`the same set after ${name}`, () => keepgate.run(['policy', 'status', '--json']).status === 0 && policyStatus().sha256 === before);
    await inForce();
  }
  await keepgate.up.stop();
  await keepgate.start();
  await until('the same set after a restart', () => keepgate.run(['policy', 'status', '--json']).status === 0 && policyStatus().sha256 === before);
  await keepgate.ready(token, 'notes');
  assert(!isAllowed(await list()), 'the pushed policy was lost');
  equal((await push('DELETE', '/policies/no-list')).status, 204, 'delete');
  await inForce();
  await until('allowed again', async () => isAllowed(await list()));
  await until('entities by hand stay beside', () => keepgate.run(['policy', 'load']).status === 0);
});

test('opal: what is kept and cannot be read permits nothing', async () => {
  await keepgate.up.stop();
  const file = path.join(keepgate.state, 'gateway', 'pushed.set');
  equal(fs.statSync(file).mode & 0o777, 0o600, 'mode');
  fs.writeFileSync(file, Buffer.alloc(9 << 20, 'x'));
  await keepgate.start();
  await until('nothing is in force', () => keepgate.run(['policy', 'status', '--json']).status === 0 && /pushed/.test(policyStatus().error ?? '') && policyStatus().sha256 === null);
  assert(!isAllowed(await list()), 'a call was allowed');
  equal((await push('PUT', '/policies', shipped.map((n) => ({ id: n, content: source(n) })))).status, 200, 'policies again');
  await until('allowed again', async () => isAllowed(await list()));
});

test('opal: a setting that asks for signatures and takes pushed sets does not start', async () => {
  await keepgate.stop();
  const bad = new Keepgate({ notes }, { policy: { dir: root, keys: [`${'A'.repeat(43)}=`], opal: { listen: { port: 8182 } } } });
  bad.port = await freePort();
  bad.writeConfig();
  const r = spawnSync(path.join(build, 'keepgate'), ['config', 'check', bad.file], { encoding: 'utf8', timeout: 20000 });
  assert(r.status !== 0 && /policy\.opal: .*signature/.test(r.stderr), `${r.status} ${r.stderr}`);
});
