// Credentials of every kind arrive where they were stored for, and nowhere else; TLS is verified; redirects are not followed.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { Keepgate, Program, assert, equal, freePort, node, root, sleep, test, until } from './harness.mjs';

const RAW = path.join(root, 'tests/e2e/raw_server.mjs');
const rpc = (method, params, id = 1) => ({ jsonrpc: '2.0', id, method, params });
const value = (kind) => `planted-${kind}-${Math.random().toString(36).slice(2)}`;

test('bearer, basic, header and query credentials arrive in their places', async () => {
  const port = await freePort();
  const server = await new Program(node, [RAW, String(port)]).listening(port);
  const url = `http://127.0.0.1:${port}/mcp`;
  const secrets = [
    { name: 'a', server: 'bearer', kind: 'bearer', value: value('bearer') },
    { name: 'b', server: 'basic', kind: 'basic', value: `user:${value('basic')}` },
    { name: 'c', server: 'header', kind: 'header', slot: 'X-Api-Key', value: value('header') },
    { name: 'd', server: 'query', kind: 'query', slot: 'key', value: `${value('query')}&=+ ?` },
  ];
  const keepgate = await new Keepgate({
    bearer: { url, headers: { Authorization: '${secret:a}' }, tiers: { '*': 'read' } },
    basic: { url, headers: { Authorization: '${secret:b}' }, tiers: { '*': 'read' } },
    header: { url, headers: { 'X-Api-Key': '${secret:c}', 'X-Plain': 'yes' }, tiers: { '*': 'read' } },
    query: { url, credentials: [{ secret: 'd', kind: 'query', slot: 'key' }], tiers: { '*': 'read' } },
  }).start({ secrets });
  const { token } = keepgate.grant('*/*');
  await keepgate.ready(token, 'bearer', 'basic', 'header', 'query');
  const { send } = await keepgate.legacy(token);
  const want = {
    bearer: (s) => s.headers.authorization === `Bearer ${secrets[0].value}`,
    basic: (s) => s.headers.authorization === `Basic ${Buffer.from(secrets[1].value).toString('base64')}`,
    header: (s) => s.headers['x-api-key'] === secrets[2].value && s.headers['x-plain'] === 'yes' && !s.headers.authorization,
    query: (s) => new URL(s.url, 'http://x').searchParams.get('key') === secrets[3].value,
  };
  for (const [name, right] of Object.entries(want)) {
    const r = await (await send(rpc('tools/call', { name: `${name}__exact`, arguments: { from: name } }))).json();
    assert(r.result, `${name}: ${JSON.stringify(r)}`);
    const seen = await (await fetch(`http://127.0.0.1:${port}/seen`)).json();
    const call = seen.filter((s) => s.body?.includes(`"from":"${name}"`)).at(-1);
    assert(right(call), `${name}: ${JSON.stringify(call.headers)} ${call.url}`);
  }
  for (const { name, value: v } of secrets) {
    assert(!keepgate.cli(['secret', 'show', name, '--json']).includes(v), `show ${name} shows the value`);
    assert(!keepgate.up.output.includes(v), `the value of ${name} stands in a log line`);
  }
  await keepgate.stop();
  await server.stop();
});

test('a stored credential cannot be sent to another destination', async () => {
  const [port, thief] = [await freePort(), await freePort()];
  const server = await new Program(node, [RAW, String(port)]).listening(port);
  const other = await new Program(node, [RAW, String(thief)]).listening(thief);
  const secret = value('retarget');
  const headers = { Authorization: 'Bearer ${secret:a}' };
  const keepgate = await new Keepgate({ raw: { url: `http://127.0.0.1:${port}/mcp`, headers, tiers: { '*': 'read' } } })
    .start({ secrets: [{ name: 'a', server: 'raw', kind: 'bearer', value: secret }] });
  const { token } = keepgate.grant('raw/*');
  await keepgate.ready(token, 'raw');
  await keepgate.up.stop();
  keepgate.servers.raw.url = `http://127.0.0.1:${thief}/mcp`;
  await keepgate.start();
  await until('a refusal in the log', () => /secret/.test(keepgate.up.output) && /store/.test(keepgate.up.output));
  const seen = await (await fetch(`http://127.0.0.1:${thief}/seen`)).text();
  assert(!seen.includes(secret), 'the credential went to another destination');
  await keepgate.stop();
  await server.stop();
  await other.stop();
});

// A certificate authority of the test's own, and certificates for two names.
function certificates(dir) {
  const run = (...args) => {
    const r = spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
    assert(r.status === 0, `openssl ${args[0]}: ${r.stderr}`);
  };
  run('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority');
  for (const name of ['localhost', 'elsewhere.example']) {
    run('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`);
    run('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', `${name}.pem`, '-days', '2', '-copy_extensions', 'copy');
  }
  return (name) => ({ key: fs.readFileSync(path.join(dir, `${name}.key`)), cert: fs.readFileSync(path.join(dir, `${name}.pem`)) });
}

// Passes requests on to a bare server: only the TLS is the test's.
function tlsFront(options, port, target, seen) {
  return new Promise((resolve) => {
    const s = https.createServer(options, (req, res) => {
      seen.push(req.headers);
      const up = http.request({ host: '127.0.0.1', port: target, path: req.url, method: req.method, headers: req.headers }, (r) => {
        res.writeHead(r.statusCode, r.headers);
        r.pipe(res);
      });
      req.pipe(up);
    });
    s.on('tlsClientError', () => {});
    s.listen(port, '127.0.0.1', () => resolve(s));
  });
}

test('TLS: a server that the authority vouches for is used, an unknown one and another name are not; no redirect is followed', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepgate-tls-'));
  const of = certificates(dir);
  const [plain, good, other, moved] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const server = await new Program(node, [RAW, String(plain)]).listening(plain);
  const seen = { good: [], other: [], moved: [] };
  const fronts = [await tlsFront(of('localhost'), good, plain, seen.good), await tlsFront(of('elsewhere.example'), other, plain, seen.other)];
  const redirector = http.createServer((req, res) => {
    seen.moved.push(req.headers);
    res.writeHead(307, { location: `http://127.0.0.1:${plain}/mcp` }).end();
  });
  await new Promise((r) => redirector.listen(moved, '127.0.0.1', r));
  const tls = { ca: path.join(dir, 'ca.pem') };
  const keepgate = await new Keepgate({
    good: { url: `https://localhost:${good}/mcp`, tls, tiers: { '*': 'read' } },
    unknown: { url: `https://localhost:${good}/mcp`, tiers: { '*': 'read' } },
    name: { url: `https://localhost:${other}/mcp`, tls, tiers: { '*': 'read' } },
    moved: { url: `http://127.0.0.1:${moved}/mcp`, tiers: { '*': 'read' } },
  }).start();
  const { token } = keepgate.grant('*/*');
  await keepgate.ready(token, 'good');
  const { send } = await keepgate.legacy(token);
  equal((await (await send(rpc('tools/call', { name: 'good__exact', arguments: {} }))).json()).result !== undefined, true, 'a call over TLS');
  await until('a redirect', () => seen.moved.length > 0);
  await sleep(1000);
  for (const s of ['unknown', 'name', 'moved']) {
    const tools = (await (await send(rpc('tools/list', {}), s)).json()).result.tools;
    equal(tools, [], `tools of ${s}`);
  }
  equal(seen.other.length, 0, 'requests to a server of another name');
  const through = await (await fetch(`http://127.0.0.1:${plain}/seen`)).json();
  assert(through.every((r) => r === 'closed' || r.headers.host === `localhost:${good}`), 'a redirect was followed');
  assert(/certificate|SSL|TLS/i.test(keepgate.up.output), 'the log says nothing of the certificate');
  await keepgate.stop();
  fronts.forEach((f) => f.close());
  redirector.close();
  await server.stop();
  fs.rmSync(dir, { recursive: true });
});
