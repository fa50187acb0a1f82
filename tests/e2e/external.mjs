// A decision point of others is asked too: it can only refuse, and whatever is no clear permit in time refuses.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { Keepgate, Program, assert, build, equal, freePort, sleep, test, until } from './harness.mjs';

const rpc = (method, params, id = 1) => ({ jsonrpc: '2.0', id, method, params });
const notes = { command: path.join(build, 'notes'), tiers: { list_notes: 'read', add_note: 'write', wipe_notes: 'destructive' } };
const PATH = '/access/v1/evaluation';
const DOCUMENT = '/v1/data/mcp/allow';
const LATE_MS = 30000; // until an answer that nobody waits for
const SLOW_MS = 5000; // for the tests that are not about time, on a loaded machine

// AuthZEN's evaluation endpoint and OPA's data API, whose word a test chooses for each question.
class Point {
  constructor(decide, tls) {
    this.seen = [];
    this.decide = decide;
    this.server = (tls ? https : http).createServer(tls ?? {}, (req, res) => this.serve(req, res));
    this.connections = 0;
    this.server.on(tls ? 'secureConnection' : 'connection', () => this.connections++);
  }

  async serve(req, res) {
    let body = '';
    for await (const part of req) body += part;
    const ask = { url: req.url, method: req.method, headers: req.headers, body: JSON.parse(body) };
    this.seen.push(ask);
    const answer = await this.decide(ask);
    if (answer === undefined) return req.socket.destroy();
    const { status = 200, type = 'application/json', text, json } = answer;
    res.writeHead(status, { 'content-type': type, 'x-request-id': req.headers['x-request-id'], location: '/elsewhere' });
    res.end(text ?? JSON.stringify(json));
  }

  async listen(port) {
    this.port = port ?? await freePort();
    await new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    return this;
  }

  close() {
    return new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }
}

const permit = () => ({ json: { decision: true } });

async function call(keepgate, token, name, args = {}) {
  const { send } = await keepgate.legacy(token);
  return (await send(rpc('tools/call', { name, arguments: args }))).json();
}

const text = (r) => r.result?.content?.[0]?.text ?? JSON.stringify(r.error);
const lastIntent = (keepgate) => keepgate.audit().filter((e) => e.phase === 'intent').at(-1);

async function list(keepgate, token) {
  const { send } = await keepgate.legacy(token);
  return (await send(rpc('tools/list', {}))).json();
}

const names = (r) => r.result?.tools.map((t) => t.name) ?? r.error?.message;
const unlisted = /external decision point/;

// There are tools to ask about: they are listed, or their list fails.
async function started(external, options, servers = { notes }, tools = 'notes/*') {
  const keepgate = await new Keepgate(servers, { policy: { external: { timeout_ms: SLOW_MS, ...external } } }).start(options);
  const { token } = keepgate.grant(tools);
  await until('tools to list', async () => {
    const r = await list(keepgate, token);
    return r.result?.tools.length || unlisted.test(r.error?.message);
  });
  return { keepgate, token };
}

async function refused(keepgate, token, code, pattern, what) {
  const r = await call(keepgate, token, 'notes__list_notes');
  assert(r.result?.isError && pattern.test(text(r)), `${what}: ${JSON.stringify(r)}`);
  const e = lastIntent(keepgate);
  equal([e.decision, e.reason_code, e.facts?.external?.decision], ['deny', code, 'deny'], `${what}, on record`);
  assert(!e.outcome, `${what}: it has an outcome`);
}

test('external: an AuthZEN decision point is asked about what the policies here permit', async () => {
  const point = await new Point(permit).listen();
  const value = `planted-pdp-${Math.random().toString(36).slice(2)}`;
  const { keepgate, token } = await started(
    { kind: 'authzen', url: `http://127.0.0.1:${point.port}${PATH}`, headers: { Authorization: 'Bearer ${secret:pdp-token}', 'X-Tenant': 't1' } },
    { secrets: [{ name: 'pdp-token', server: 'policy', kind: 'bearer', value }] });
  point.seen = [];
  const r = await call(keepgate, token, 'notes__add_note', { text: 'a' });
  assert(r.result && !r.result.isError, JSON.stringify(r));
  equal(point.seen.length, 1, 'questions');
  const [ask] = point.seen;
  equal([ask.method, ask.url, ask.headers['content-type'], ask.headers.authorization, ask.headers['x-tenant']],
    ['POST', PATH, 'application/json', `Bearer ${value}`, 't1'], 'the request');
  assert(/^[0-9a-f]{32}$/.test(ask.headers['x-request-id']), 'X-Request-ID');
  const { subject, action, resource, context } = ask.body;
  equal([subject.type, subject.id, action.name, resource.type], ['identity', 'alice@example.com', 'tools/call', 'tool'], 'the question');
  equal([context.agent, context.args.text, resource.properties.tier], ['test-agent', 'a', 'write'], 'its context');
  equal(lastIntent(keepgate).facts.external.decision, 'permit', 'its word on record');

  // What the policies here refuse, nobody else is asked about; and its credential stands in no log.
  const wiped = await call(keepgate, token, 'notes__wipe_notes');
  assert(wiped.result?.isError || wiped.error, JSON.stringify(wiped));
  equal(point.seen.length, 1, 'questions after a call that is refused here');
  assert(!keepgate.up.output.includes(value), 'the credential stands in a log line');
  assert(!keepgate.cli(['secret', 'show', 'pdp-token', '--json']).includes(value), 'the credential is shown');

  // Connections are kept.
  const before = point.connections;
  for (let i = 0; i < 10; i++) assert(!(await call(keepgate, token, 'notes__list_notes')).result.isError, `call ${i}`);
  assert(point.connections - before <= 1, `${point.connections - before} new connections for ten questions`);
  await keepgate.stop();
  await point.close();
});

test('external: whatever is no clear permit refuses, and the next permit is a permit again', async () => {
  const point = await new Point(permit).listen();
  const { keepgate, token } = await started({ kind: 'authzen', url: `http://127.0.0.1:${point.port}${PATH}` });
  const cases = [
    ['a denial', { json: { decision: false, context: { reason_user: { en: 'not on a sunday' } } } }, 'external-denied', /not on a sunday/],
    ['a denial that steers a terminal', { json: { decision: false, context: { reason_user: { en: 'a\u001b[2Jb\u202ec' } } } }, 'external-denied', /a \[2Jb c/],
    ['an obligation', { json: { decision: true, context: { obligations: [{ id: '1', type: 'step-up' }] } } }, 'external-obligation', /obligation/],
    ['no decision', { json: { context: {} } }, 'external-malformed', /decision/],
    ['a text as decision', { json: { decision: 'true' } }, 'external-malformed', /decision/],
    ['two decisions', { text: '{"decision":false,"decision":true}' }, 'external-malformed', /cannot be used/],
    ['no JSON', { text: 'permit' }, 'external-malformed', /cannot be used/],
    ['another media type', { json: { decision: true }, type: 'text/html' }, 'external-malformed', /application\/json/],
    ['too much', { text: `{"decision":true,"x":"${'x'.repeat(65536)}"}` }, 'external-malformed', /longer/],
    ['a redirect', { status: 307, json: { decision: true } }, 'external-unavailable', /307/],
    ['an error with a permit', { status: 500, json: { decision: true } }, 'external-unavailable', /500/],
    ['a closed connection', undefined, 'external-unavailable', /cannot be asked/],
  ];
  for (const [what, answer, code, pattern] of cases) {
    const asked = point.seen.length;
    point.decide = () => answer;
    await refused(keepgate, token, code, pattern, what);
    assert(point.seen.slice(asked).every((a) => a.url === PATH), `${what}: another address was asked`);
    point.decide = permit;
    assert(!(await call(keepgate, token, 'notes__list_notes')).result.isError, `after ${what}`);
  }
  await point.close();
  await refused(keepgate, token, 'external-unavailable', /cannot be asked/, 'nobody there');
  const again = await new Point(permit).listen(point.port);
  assert(!(await call(keepgate, token, 'notes__list_notes')).result.isError, 'there again');

  // Its role can be killed: refused, or permitted by the next one; never permitted without a question.
  const role = () => keepgate.status()?.find((p) => p.role === 'pdp');
  const { pid } = role();
  process.kill(pid, 'SIGKILL');
  const asked = again.seen.length;
  const r = await call(keepgate, token, 'notes__list_notes');
  assert(r.result.isError || again.seen.length > asked, 'a call went through unasked');
  await until('the role is back', () => role()?.pid !== pid && role());
  await until('calls again', async () => !(await call(keepgate, token, 'notes__list_notes')).result?.isError);
  keepgate.cli(['audit', 'verify']);
  await keepgate.stop();
  await again.close();
});

test('external: no answer in time is a refusal', async () => {
  const point = await new Point(permit).listen();
  const { keepgate, token } = await started({ kind: 'authzen', url: `http://127.0.0.1:${point.port}${PATH}`, timeout_ms: 50 });
  point.decide = async () => {
    await sleep(LATE_MS);
    return permit();
  };
  const { send } = await keepgate.legacy(token);
  const begun = performance.now();
  const r = await (await send(rpc('tools/call', { name: 'notes__list_notes', arguments: {} }))).json();
  const took = performance.now() - begun;
  assert(r.result?.isError && /50 ms/.test(text(r)), JSON.stringify(r));
  assert(took >= 49 && took < LATE_MS / 2, `it took ${took} ms`);
  equal(lastIntent(keepgate).reason_code, 'external-timeout', 'on record');
  point.decide = permit;
  await until('an answer in time', async () => !(await call(keepgate, token, 'notes__list_notes')).result.isError);
  await keepgate.stop();
  await point.close();
});

const BATCH = '/access/v1/evaluations';
const toolOf = (o) => o.resource.properties.name;
const say = (url, allows) => ({ body }) => (url === BATCH
  ? { json: { evaluations: body.evaluations.map((e) => ({ decision: allows(toolOf(e)) })) } }
  : { json: { decision: allows(toolOf(body)) } });

for (const [what, kind, url, answers] of [
  ['AuthZEN at once', 'authzen', BATCH, say],
  ['AuthZEN one by one', 'authzen', PATH, say],
  ['OPA', 'opa', DOCUMENT, (_, allows) => ({ body: { input } }) => ({ json: { result: allows(toolOf(input)) } })],
]) {
  test(`external: a list shows what it permits: ${what}`, async () => {
    const batch = url === BATCH;
    const point = await new Point(answers(url, () => true)).listen();
    const at = (p) => `http://127.0.0.1:${point.port}${p}`;
    const { keepgate, token } = await started({ kind, url: at(batch ? PATH : url), ...(batch ? { batch_url: at(BATCH) } : {}) });
    const all = ['notes__add_note', 'notes__list_notes', 'notes__wipe_notes'];
    point.seen = [];
    equal(names(await list(keepgate, token)), all, 'all');
    equal(point.seen.map((a) => a.url), batch ? [BATCH] : [url, url, url], 'questions');
    const asked = point.seen[0].body.input ?? point.seen[0].body;
    assert(asked.context.agent === 'test-agent' && !('args' in asked.context) && !('args_sha256' in asked.context), 'the context');
    point.decide = answers(url, (name) => name === 'list_notes');
    equal(names(await list(keepgate, token)), ['notes__list_notes'], 'one');
    point.decide = answers(url, () => 'true');
    equal(names(await list(keepgate, token)), [], 'no clear permit');
    const failures = [
      ['an error', () => ({ status: 500, json: { decision: true, result: true } }), /500/],
      ['a closed connection', () => undefined, /cannot be asked/],
      ['no answer in time', async () => sleep(LATE_MS), /within \d+ ms|in time/],
      ...(batch ? [
        ['one decision for all', () => ({ json: { decision: true } }), /evaluations/],
        ['too few', () => ({ json: { evaluations: [{ decision: true }] } }), unlisted],
      ] : []),
    ];
    for (const [name, decide, pattern] of failures) {
      point.decide = decide;
      const r = await list(keepgate, token);
      assert(!r.result && unlisted.test(r.error.message) && pattern.test(r.error.message), `${name}: ${JSON.stringify(r)}`);
      point.decide = answers(url, () => true);
      await until(`a list after ${name}`, async () => (await list(keepgate, token)).result?.tools.length === 3);
    }
    assert(!keepgate.audit().some((e) => e.phase === 'intent' && e.method === 'tools/call'), 'a list is on record as a call');
    await keepgate.stop();
    await point.close();
  });
}

for (const url of [BATCH, PATH]) {
  test(`external: a list of a thousand tools, ${url === BATCH ? 'in one question' : 'in a thousand'}`, async () => {
    const tools = Array.from({ length: 1000 }, (_, i) => ({ name: `t${i}`, inputSchema: { type: 'object' } }));
    const allows = (name) => Number(name.slice(1)) % 2 === 0;
    const file = path.join(fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'keepgate-many-')), 'server.mjs');
    fs.writeFileSync(file, `import readline from 'node:readline';
const tools = ${JSON.stringify(tools)};
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line);
  const result = method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'many', version: '1' } }
    : method === 'tools/list' ? { tools } : {};
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
}
`);
    const point = await new Point(say(url, allows)).listen();
    const at = (p) => `http://127.0.0.1:${point.port}${p}`;
    const { keepgate, token } = await started({ kind: 'authzen', url: at(PATH), ...(url === BATCH ? { batch_url: at(BATCH) } : {}) }, {},
      { many: { command: process.execPath, args: [file], tiers: { '*': 'read' } } }, 'many/*');
    let r;
    await until('all of them', async () => {
      point.seen = [];
      r = await list(keepgate, token);
      return r.result?.tools.length === 500;
    });
    equal(point.seen.length, url === BATCH ? 1 : 1000, 'questions');
    assert(r.result.tools.every((t) => allows(t.name.replace('many__', ''))), 'another tool');
    await keepgate.stop();
    await point.close();
    fs.rmSync(path.dirname(file), { recursive: true });
  });
}

test('external: without its credential nobody is asked', async () => {
  const point = await new Point(permit).listen();
  const { keepgate, token } = await started({ kind: 'authzen', url: `http://127.0.0.1:${point.port}${PATH}`, headers: { 'X-Key': '${secret:pdp-key}' } });
  await refused(keepgate, token, 'external-unavailable', /pdp-key/, 'not stored');
  equal(point.seen.length, 0, 'questions');
  assert(unlisted.test(names(await list(keepgate, token))), 'a list without it');
  keepgate.cli(['secret', 'put', 'pdp-key', '--server', 'policy', '--kind', 'header', '--slot', 'X-Key'], 'first');
  assert(!(await call(keepgate, token, 'notes__list_notes')).result.isError, 'stored');
  equal(point.seen.at(-1).headers['x-key'], 'first', 'the line');
  keepgate.cli(['secret', 'put', 'pdp-key', '--server', 'policy', '--kind', 'header', '--slot', 'X-Key', '--replace'], 'second');
  await until('the new one is sent', async () => {
    await call(keepgate, token, 'notes__list_notes');
    return point.seen.at(-1).headers['x-key'] === 'second';
  });
  keepgate.cli(['secret', 'rm', 'pdp-key']);
  await until('a removed one is not', async () => (await call(keepgate, token, 'notes__list_notes')).result.isError);
  await keepgate.stop();
  await point.close();
});

test('external: TLS is verified', async () => {
  const dir = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'keepgate-pdp-'));
  const openssl = (...args) => equal(spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' }).status, 0, `openssl ${args[0]}`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  for (const ca of ['ca', 'other'])
    openssl('req', '-x509', ...key, '-days', '2', '-subj', `/CN=${ca}`, '-keyout', `${ca}.key`, '-out', `${ca}.pem`);
  openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', 'pdp.key', '-out', 'pdp.csr');
  fs.writeFileSync(path.join(dir, 'san'), 'subjectAltName=DNS:localhost\n');
  openssl('x509', '-req', '-in', 'pdp.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san', '-out', 'pdp.pem');
  const file = (name) => path.join(dir, name);
  const point = await new Point(permit, { key: fs.readFileSync(file('pdp.key')), cert: fs.readFileSync(file('pdp.pem')) }).listen();
  const cases = [
    ['the right authority', 'localhost', 'ca.pem', true],
    ['another authority', 'localhost', 'other.pem', false],
    ['the system\'s', 'localhost', undefined, false],
    ['another name', '127.0.0.1', 'ca.pem', false],
  ];
  for (const [what, host, ca, right] of cases) {
    const { keepgate, token } = await started({ kind: 'authzen', url: `https://${host}:${point.port}${PATH}`, ...(ca ? { tls: { ca: file(ca) } } : {}) });
    point.seen = [];
    if (right) assert(!(await call(keepgate, token, 'notes__list_notes')).result.isError, what);
    else await refused(keepgate, token, 'external-unavailable', /cannot be asked/, what);
    equal(point.seen.length, right ? 1 : 0, `${what}: questions`);
    await keepgate.stop();
  }
  await point.close();
  fs.rmSync(dir, { recursive: true });
});

const rego = `package mcp

allow if input.resource.properties.tier == "read"

allow := {"decision": false, "reasons": ["such notes are not kept"]} if {
  input.resource.properties.tier == "write"
  input.context.args.text == "a password"
}

allow := {"allow": true} if {
  input.resource.properties.tier == "write"
  input.context.args.text != "a password"
  input.subject.id == "alice@example.com"
}
`;

// What OPA answers to this policy by its data API's documentation; a document without a value has no result.
function documented({ body: { input } }) {
  const { tier } = input.resource.properties;
  if (tier !== 'read' && input.context.args === undefined) return { json: {} }; // rego: undefined
  if (tier === 'read') return { json: { result: true } };
  if (input.context.args.text === 'a password') return { json: { result: { decision: false, reasons: ['such notes are not kept'] } } };
  return { json: input.subject.id === 'alice@example.com' ? { result: { allow: true } } : {} };
}

const opa = process.env.KEEPGATE_OPA ?? ['/usr/bin/opa', '/usr/local/bin/opa'].find((p) => fs.existsSync(p));

for (const [kind, start] of [
  ['its data API as documented', async () => new Point(documented).listen()],
  ...(opa ? [['OPA itself', async () => {
    const port = await freePort();
    const dir = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'keepgate-opa-'));
    fs.writeFileSync(path.join(dir, 'mcp.rego'), rego);
    const program = await new Program(opa, ['run', '--server', '--addr', `127.0.0.1:${port}`, dir]).listening(port);
    return { port, close: async () => { await program.stop(); fs.rmSync(dir, { recursive: true }); } };
  }]] : []),
]) {
  test(`external: OPA, ${kind}`, async () => {
    const point = await start();
    const { keepgate, token } = await started({ kind: 'opa', url: `http://127.0.0.1:${point.port}${DOCUMENT}` });
    assert(!(await call(keepgate, token, 'notes__list_notes')).result.isError, 'true');
    equal(names(await list(keepgate, token)), ['notes__list_notes'], 'what is allowed before any arguments are known');
    assert(!(await call(keepgate, token, 'notes__add_note', { text: 'a' })).result.isError, 'an object that allows');
    const no = await call(keepgate, token, 'notes__add_note', { text: 'a password' });
    assert(no.result?.isError && /such notes/.test(text(no)), `an object that denies: ${JSON.stringify(no)}`);
    const { token: bob } = JSON.parse(keepgate.cli(['consent', 'grant', '--human', 'bob@example.com', '--agent', 'test-agent', '--tools', 'notes/*', '--tier', 'write', '--for', '1h', '--why', 'TEST-2', '--json']));
    const undefinedOne = await call(keepgate, bob, 'notes__add_note', { text: 'a' });
    assert(undefinedOne.result?.isError && /undefined/.test(text(undefinedOne)), `no result: ${JSON.stringify(undefinedOne)}`);
    equal(lastIntent(keepgate).reason_code, 'external-denied', 'on record');
    await keepgate.stop();
    await point.close();
  });
}
