// Consents and sessions: what an operator decides holds for the very next call, and at once for what is open.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { Keepgate, Program, WAIT_MS, assert, build, equal, freePort, node, root, sleep, test, until } from './harness.mjs';

const RAW = path.join(root, 'tests/e2e/raw_server.mjs');
const rpc = (method, params, id = 1) => ({ jsonrpc: '2.0', id, method, params });
const REVOCATIONS = 5;
let keepgate, raw, rawPort;

const seen = async () => (await fetch(`http://127.0.0.1:${rawPort}/seen`)).json();

test('a Keepgate with the notes server and one by hand', async () => {
  rawPort = await freePort();
  raw = await new Program(node, [RAW, String(rawPort)]).listening(rawPort);
  keepgate = await new Keepgate({
    notes: { command: path.join(build, 'notes'), tiers: { list_notes: 'read', add_note: 'write', wipe_notes: 'destructive' } },
    raw: { url: `http://127.0.0.1:${rawPort}/mcp`, tiers: { '*': 'read' }, timeout_seconds: 20 },
  }).start();
  const { token } = keepgate.grant('*/*');
  await keepgate.ready(token, 'notes', 'raw');
});

test('a state directory too deep for its sockets is refused at once', () => {
  const deep = path.join(keepgate.dir, 'd'.repeat(100));
  const r = spawnSync(path.join(build, 'keepgate'), ['up', '--config', keepgate.file, '--state', deep], { encoding: 'utf8', timeout: WAIT_MS });
  equal(r.status, 1, 'its status');
  assert(/too long for the daemons' sockets: at most \d+ characters: choose a shorter --state/.test(r.stderr), r.stderr);
});

test('tokens have a form that scanners know, and are stored as a hash alone', async () => {
  const { token } = keepgate.grant('notes/*');
  assert(/^kgs_[0-9A-Za-z]{49}$/.test(token), `form: ${token.length}`);
  const files = (await import('node:child_process')).spawnSync('grep', ['-rlaF', token, keepgate.state], { encoding: 'utf8' });
  equal(files.stdout, '', 'files that hold the token');
});

test('no token, a broken one and an unknown one get 401', async () => {
  const body = rpc('tools/list', {});
  for (const token of [undefined, 'nonsense', `kgs_${'a'.repeat(49)}`]) {
    const r = await keepgate.post(token, body);
    equal(r.status, 401, `status with ${token}`);
    assert(/^Bearer/.test(r.headers.get('www-authenticate')), 'WWW-Authenticate');
  }
});

test('a pause holds for the next call, and resume lifts it', async () => {
  const { token, session } = keepgate.grant('notes/*');
  const { send } = await keepgate.legacy(token);
  const call = () => send(rpc('tools/call', { name: 'notes__list_notes', arguments: {} }));
  equal((await call()).status, 200, 'before');
  keepgate.cli(['session', 'pause', session]);
  const paused = await call();
  equal(paused.status, 403, 'while paused');
  assert(/paus/.test((await paused.json()).error.message), 'the message says so');
  keepgate.cli(['session', 'resume', session]);
  equal((await call()).status, 200, 'after resume');
});

test('a revoked consent ends its session for good', async () => {
  const { token, consent } = keepgate.grant('notes/*');
  const { send } = await keepgate.legacy(token);
  equal((await send(rpc('tools/list', {}))).status, 200, 'before');
  keepgate.cli(['consent', 'revoke', consent]);
  equal((await send(rpc('tools/call', { name: 'notes__list_notes', arguments: {} }))).status, 401, 'after');
});

test('revocation ends an open call within 100 ms', async () => {
  const took = [];
  const calls = async () => (await seen()).filter((s) => s.body?.includes('"slow"')).length;
  while (took.length < REVOCATIONS) {
    const { token, consent } = keepgate.grant('raw/*');
    const { send } = await keepgate.legacy(token);
    const before = await calls();
    const open = send(rpc('tools/call', { name: 'raw__slow', arguments: {} }));
    await until('the call at its server', async () => await calls() > before);
    let ended;
    open.then(() => (ended = performance.now()));
    keepgate.cli(['consent', 'revoke', consent]);
    const revoked = performance.now();
    equal((await open).status, 401, 'status of the open call');
    took.push(ended - revoked);
  }
  // The one in the middle: a machine that is starved may be late once.
  took.sort((a, b) => a - b);
  assert(took[REVOCATIONS >> 1] < 100, `they ended ${took} ms after the command returned`);
});

test('an expired consent is refused', async () => {
  const { token } = JSON.parse(keepgate.cli(['consent', 'grant', '--human', 'bob@example.com', '--agent', 'a', '--tools', 'notes/*',
    '--tier', 'read', '--for', '1s', '--why', 'short', '--json']));
  await sleep(1300);
  equal((await keepgate.post(token, rpc('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }))).status, 401, 'status');
});

test('a consent for read does not cover write, and one for notes nothing else', async () => {
  const { token } = keepgate.grant('notes/*', 'read');
  const { send } = await keepgate.legacy(token);
  const names = (await (await send(rpc('tools/list', {}))).json()).result.tools.map((t) => t.name);
  equal(names, ['notes__list_notes'], 'listed');
  const write = await (await send(rpc('tools/call', { name: 'notes__add_note', arguments: { text: 'x' } }))).json();
  assert(write.result?.isError === true || write.error, `a write: ${JSON.stringify(write)}`);
  const other = await (await send(rpc('tools/call', { name: 'raw__exact', arguments: {} }))).json();
  equal(other.error?.code, -32602, 'a tool outside the consent');
});

test('vaultd, the recorder and an upstream may die: calls fail closed meanwhile and work again', async () => {
  const { token } = keepgate.grant('notes/*');
  let session = await keepgate.legacy(token);
  const call = async () => (await session.send(rpc('tools/call', { name: 'notes__list_notes', arguments: {} }))).json();
  for (const victim of ['vaultd', 'guardiand-recorder', 'gatewayd-upstream', 'gatewayd-front', 'gatewayd-broker']) {
    for (const p of (await keepgate.roles()).filter((x) => x.program === victim))
      process.kill(p.pid, 'SIGKILL');
    await until(`a call after the death of ${victim}`, async () => {
      try {
        const r = await call();
        if (r.error && /session/i.test(r.error.message)) session = await keepgate.legacy(token);
        assert(r.result || r.error, `neither result nor error: ${JSON.stringify(r)}`);
        return r.result && !r.result.isError;
      } catch (e) {
        if (e.message.startsWith('neither')) throw e;
        return false;
      }
    });
  }
  keepgate.cli(['audit', 'verify']);
});

test('numbers, strings and unknown members survive exactly, both ways', async () => {
  const { token } = keepgate.grant('raw/*');
  const { send } = await keepgate.legacy(token);
  const args = '{"n":1.10,"big":9223372036854775807,"e":1e400,"s":"\\u00e4\\/","deep":{"__entity":[null,true]}}';
  const r = await send(`{"jsonrpc":"2.0","id":"a\\u0062","method":"tools/call","params":{"name":"raw__exact","arguments":${args},"_meta":{"vendor.example/x":1.50}}}`);
  const text = await r.text();
  assert(text.includes('"id":"a\\u0062"'), 'the id');
  assert(text.includes('"big":9223372036854775807,"precise":1.10,"huge":1e400'), `the result: ${text}`);
  const sent = (await seen()).filter((s) => s.body?.includes('tools/call')).at(-1);
  assert(sent.body.includes(args), `the arguments: ${sent.body}`);
  assert(sent.body.includes('"vendor.example/x":1.50'), 'the vendor member');
  assert(!JSON.stringify(sent).includes(token), 'the session token went upstream');
  const tools = await (await send(rpc('tools/list', {}))).text();
  assert(tools.includes('"n":1.10') && tools.includes('$defs'), `the definition: ${tools}`);
});

test('duplicate keys, ill-formed UTF-8 and deep nesting are refused', async () => {
  const { token } = keepgate.grant('raw/*');
  const { send } = await keepgate.legacy(token);
  const call = (args) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw__exact","arguments":${args}}}`;
  for (const body of [call('{"a":1,"a":2}'), call('{"a":1,"\\u0061":2}'), call(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`), call('{"a":"\\ud800"}')]) {
    const r = await send(body);
    equal(r.status, 400, `status of ${body.slice(80, 140)}`);
    equal((await r.json()).error.code, -32700, 'code');
  }
});

test('without a durable record nothing is sent', async () => {
  const { token } = keepgate.grant('raw/*');
  const { send } = await keepgate.legacy(token);
  const recorder = (await keepgate.roles()).find((p) => p.program === 'guardiand-recorder');
  process.kill(recorder.pid, 'SIGSTOP');
  const before = (await seen()).length;
  const call = send(rpc('tools/call', { name: 'raw__exact', arguments: {} }));
  await sleep(700);
  equal((await seen()).length, before, 'requests that reached the server');
  process.kill(recorder.pid, 'SIGCONT');
  equal((await call).status, 200, 'the call, once it is on record');
});

test('a second keepgate up on the same state is refused at once', () => {
  const r = keepgate.run(['up', '--config', keepgate.file]);
  assert(r.status === 1 && /serve there already/.test(r.stderr), `status ${r.status}: ${r.stderr}`);
});

test('all ends', async () => {
  equal(await keepgate.stop(), 0, 'exit status');
  await raw.stop();
});
