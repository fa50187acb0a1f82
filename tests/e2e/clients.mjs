// The official clients of three kinds against the official servers, through Keepgate.
import fs from 'node:fs';
import path from 'node:path';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Keepgate, Program, assert, build, equal, freePort, modules, node, rejects, root, test, until } from './harness.mjs';

const EVERYTHING = path.join(modules, '@modelcontextprotocol/server-everything/dist/index.js');
const FILESYSTEM = path.join(modules, '@modelcontextprotocol/server-filesystem/dist/index.js');
const LOOPBACK = path.join(root, 'tests/e2e/loopback.mjs');
const MODERN = path.join(root, 'tests/e2e/modern_server.mjs');

// The three clients, behind one shape.
const kinds = {
  'SDK 1.x': async (url, token) => {
    const client = new ClientV1({ name: 'v1', version: '1.0.0' });
    await client.connect(new TransportV1(url, { requestInit: { headers: { Authorization: `Bearer ${token}` } } }));
    return { client, call: (params, options) => client.callTool(params, undefined, options), list: () => client.listTools(), close: () => client.close() };
  },
  'SDK 2.x, legacy': (url, token) => second(url, token, 'legacy'),
  'SDK 2.x, 2026-07-28': (url, token) => second(url, token, { pin: '2026-07-28' }),
};

async function second(url, token, mode) {
  const client = new ClientV2({ name: 'v2', version: '2.0.0' }, { versionNegotiation: { mode } });
  await client.connect(new TransportV2(url, { requestInit: { headers: { Authorization: `Bearer ${token}` } } }));
  return { client, call: (params, options) => client.callTool(params, options), list: () => client.listTools(), close: () => client.close() };
}

let keepgate, everything, modern, files, token, modernToken;

const readTiers = { '*': 'read' };

test('the daemons start in front of five real servers', async () => {
  const [port, modernPort] = [await freePort(), await freePort()];
  files = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'keepgate-files-'));
  fs.writeFileSync(path.join(files, 'hello.txt'), 'hello from the file');
  modernToken = `upstream-${Math.random().toString(36).slice(2)}`;
  everything = await new Program(node, ['--import', LOOPBACK, EVERYTHING, 'streamableHttp'], { env: { ...process.env, PORT: String(port) } }).listening(port);
  modern = await new Program(node, [MODERN, String(modernPort), modernToken]).listening(modernPort);
  keepgate = new Keepgate({
    notes: { command: path.join(build, 'notes'), tiers: { list_notes: 'read', add_note: 'write', wipe_notes: 'destructive' } },
    everything: { url: `http://127.0.0.1:${port}/mcp`, tiers: readTiers },
    'everything-stdio': { command: node, args: [EVERYTHING, 'stdio'], tiers: readTiers },
    files: { command: node, args: [FILESYSTEM, files], tiers: { 'read_*': 'read', 'list_*': 'read', write_file: 'write' } },
    modern: { url: `http://127.0.0.1:${modernPort}/mcp`, headers: { Authorization: 'Bearer ${secret:modern-token}' } },
  });
  await keepgate.start({ secrets: [{ name: 'modern-token', server: 'modern', kind: 'bearer', value: modernToken }] });
  ({ token } = keepgate.grant('notes/*,everything/*,everything-stdio/*,files/*,modern/*', 'write'));
  await keepgate.ready(token, 'notes', 'everything', 'everything-stdio', 'files', 'modern');
});

for (const [kind, connect] of Object.entries(kinds)) {
  test(`${kind}: lists exactly what would be allowed`, async () => {
    const c = await connect(keepgate.url(), token);
    const names = (await c.list()).tools.map((t) => t.name);
    for (const want of ['notes__list_notes', 'notes__add_note', 'everything__echo', 'everything-stdio__echo', 'files__read_text_file', 'modern__add', 'notes__wipe_notes'])
      assert(names.includes(want), `${want} is not among ${names}`);
    assert(names.every((n) => n.length <= 64), 'a name is longer than 64');
    await c.close();
  });

  test(`${kind}: calls real tools over HTTP and stdio, of both eras`, async () => {
    const c = await connect(keepgate.url(), token);
    const text = async (name, args) => (await c.call({ name, arguments: args })).content[0].text;
    equal(await text('everything__echo', { message: 'grüße' }), 'Echo: grüße', 'echo over HTTP');
    equal(await text('everything-stdio__get-sum', { a: 2, b: 40 }), 'The sum of 2 and 40 is 42.', 'sum over stdio');
    equal(await text('files__read_text_file', { path: path.join(files, 'hello.txt') }), 'hello from the file', 'a file');
    equal(await text('modern__add', { a: 1, b: 2 }), '3', 'a 2026-07-28 server');
    await c.close();
  });

  test(`${kind}: a write is allowed, a destructive call is refused, an unknown tool is unknown`, async () => {
    const c = await connect(keepgate.url(), token);
    const added = await c.call({ name: 'notes__add_note', arguments: { text: `from ${kind}` } });
    assert(!added.isError, 'the write was refused');
    const wiped = await c.call({ name: 'notes__wipe_notes', arguments: {} });
    assert(wiped.isError === true && /approval/.test(wiped.content[0].text), `wipe: ${JSON.stringify(wiped)}`);
    await rejects(c.call({ name: 'notes__no_such_tool', arguments: {} }), /Unknown tool/, 'an unknown tool');
    const notes = await c.call({ name: 'notes__list_notes', arguments: {} });
    assert(notes.content[0].text.includes(`from ${kind}`), 'the note is not there');
    await c.close();
  });

  test(`${kind}: progress arrives under the client's own token`, async () => {
    const c = await connect(keepgate.url(), token);
    for (const name of ['everything__trigger-long-running-operation', 'everything-stdio__trigger-long-running-operation']) {
      const seen = [];
      const r = await c.call({ name, arguments: { duration: 0.6, steps: 3 } }, { onprogress: (p) => seen.push(p.progress) });
      assert(!r.isError && seen.length >= 1, `${name}: progress ${seen}, ${JSON.stringify(r)}`);
    }
    await c.close();
  });

  test(`${kind}: a cancelled call ends and is recorded as cancelled`, async () => {
    const c = await connect(keepgate.url(), token);
    const abort = new AbortController(), phases = (phase) => keepgate.audit().filter((e) => e.phase === phase);
    const before = phases('intent').length;
    const call = c.call({ name: 'everything__trigger-long-running-operation', arguments: { duration: 60, steps: 20 } }, { signal: abort.signal });
    const cancelled = rejects(call, /abort|enough|cancel/i, 'a cancelled call');
    await until('the call on record', () => phases('intent').length > before);
    abort.abort('enough');
    await cancelled;
    await until('the outcome on record', () => phases('outcome').at(-1).outcome === 'cancelled');
    await c.close();
  });

  test(`${kind}: one server under its own names at /mcp/SERVER`, async () => {
    const c = await connect(keepgate.url('notes'), token);
    equal((await c.list()).tools.map((t) => t.name).sort(), ['add_note', 'list_notes', 'wipe_notes'], 'own names');
    assert(!(await c.call({ name: 'list_notes', arguments: {} })).isError, 'list_notes was refused');
    await c.close();
  });
}

test('each call stands in the audit log as an intent and an outcome, and the log verifies', async () => {
  let events;
  // The last outcomes become durable a moment after their answers.
  await until('an outcome for each intent', () => {
    events = keepgate.audit();
    const outcomes = new Set(events.filter((e) => e.phase === 'outcome').map((e) => e.txn));
    return events.every((e) => e.phase !== 'intent' || e.decision !== 'allow' || outcomes.has(e.txn));
  });
  assert(events.filter((e) => e.phase === 'intent' && e.decision === 'allow').length > 20, 'too few intents');
  assert(events.some((e) => e.decision === 'deny' && e.tool?.name === 'wipe_notes'), 'the refused call is not on record');
  assert(events.some((e) => e.actor?.human === 'alice@example.com' && e.tool?.server === 'modern'), 'human and server are not named');
  keepgate.cli(['audit', 'verify']);
});

test('the upstream credential never reaches a client or the record', async () => {
  assert(!keepgate.cli(['audit', 'export', '--format', 'jsonl']).includes(modernToken), 'the credential stands in the audit log');
  assert(!keepgate.up.output.includes(modernToken), 'the credential stands in a log line');
});

test('all ends without leaving a process', async () => {
  const pids = (await keepgate.roles()).map((p) => p.pid);
  equal(await keepgate.stop(), 0, 'exit status of keepgate up');
  for (const pid of pids)
    assert(!fs.existsSync(`/proc/${pid}`), `process ${pid} is still there`);
  await everything.stop();
  await modern.stop();
  fs.rmSync(files, { recursive: true });
});
