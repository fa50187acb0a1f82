// The HTTP edge by bare bytes: what is not exactly HTTP/1.1 or MCP is refused, with the status of the specification.
import net from 'node:net';
import path from 'node:path';
import { Keepgate, WAIT_MS, assert, build, equal, test } from './harness.mjs';

let keepgate, token;
const envelope = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
const modern = (method, params = {}) => ({ jsonrpc: '2.0', id: 7, method, params: { ...params, _meta: envelope } });
const headers = (method, name) => ({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(name ? { 'mcp-name': name } : {}) });

// Sends bytes as they are and gives all that comes back until the end of the connection.
function bare(bytes) {
  return new Promise((resolve, reject) => {
    const s = net.connect(keepgate.port, '127.0.0.1', () => s.write(bytes));
    let text = '';
    s.setTimeout(WAIT_MS, () => s.destroy(new Error('no answer')));
    s.on('data', (d) => (text += d));
    s.on('end', () => resolve(text));
    s.on('error', (e) => (text ? resolve(text) : reject(e)));
  });
}

test('a Keepgate for bytes', async () => {
  keepgate = await new Keepgate({
    notes: { command: path.join(build, 'notes'), tiers: { list_notes: 'read', add_note: 'write', wipe_notes: 'destructive' } },
  }, { listen: { allowed_origins: ['https://ide.example'] } }).start();
  ({ token } = keepgate.grant('notes/*'));
  await keepgate.ready(token, 'notes');
});

test('two ways to read a request are none', async () => {
  const head = (lines) => `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${keepgate.port}\r\n${lines}\r\n`;
  const cases = {
    'two Content-Length': head('Content-Length: 2\r\nContent-Length: 2\r\n'),
    'signed length': head('Content-Length: +2\r\n'),
    'hexadecimal length': head('Content-Length: 0x2\r\n'),
    'a list of lengths': head('Content-Length: 2, 2\r\n'),
    'length and coding': head('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'),
    'another coding': head('Transfer-Encoding: gzip, chunked\r\n'),
    'a space before the colon': head('Content-Length : 2\r\n'),
    'a folded line': head('X: a\r\n b\r\n'),
    'a bare line feed': `POST /mcp HTTP/1.1\nHost: 127.0.0.1:${keepgate.port}\n\n`,
    'a NUL': head('X: a\0b\r\n'),
    'no Host': 'POST /mcp HTTP/1.1\r\nContent-Length: 2\r\n\r\n',
    'two Hosts': head(`Host: 127.0.0.1:${keepgate.port}\r\n`),
    'HTTP/1.0': `POST /mcp HTTP/1.0\r\nHost: 127.0.0.1:${keepgate.port}\r\n\r\n`,
    'an absolute target': `POST http://127.0.0.1/mcp HTTP/1.1\r\nHost: 127.0.0.1:${keepgate.port}\r\n\r\n`,
    'a chunk extension': `${head('Transfer-Encoding: chunked\r\n')}2;x=1\r\n{}\r\n0\r\n\r\n`,
    'a trailer': `${head('Transfer-Encoding: chunked\r\n')}2\r\n{}\r\n0\r\nX: 1\r\n\r\n`,
  };
  for (const [what, bytes] of Object.entries(cases)) {
    const answer = await bare(bytes);
    assert(/^HTTP\/1\.1 (400|501|505) /.test(answer), `${what}: ${answer.slice(0, 60)}`);
    assert(/\r\nConnection: close\r\n/i.test(answer), `${what}: the connection stays open`);
  }
});

test('hosts and origins of others are refused, allowed ones may read the answer', async () => {
  const post = (lines) => bare(`POST /mcp HTTP/1.1\r\n${lines}Content-Length: 0\r\nConnection: close\r\n\r\n`);
  assert(/^HTTP\/1\.1 403 /.test(await post('Host: evil.example\r\n')), 'a rebound name');
  assert(/^HTTP\/1\.1 403 /.test(await post(`Host: localhost:${keepgate.port}\r\nOrigin: https://evil.example\r\n`)), 'another origin');
  const r = await keepgate.post(token, modern('tools/list'), { ...headers('tools/list'), origin: 'https://ide.example' });
  equal([r.status, r.headers.get('access-control-allow-origin')], [200, 'https://ide.example'], 'an allowed origin');
});

test('methods, media types and paths', async () => {
  const url = keepgate.url();
  const get = await fetch(url, { headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' } });
  equal([get.status, get.headers.get('allow')], [405, 'POST, DELETE'], 'GET');
  equal((await keepgate.post(token, '{}', { 'content-type': 'text/plain' })).status, 415, 'text/plain');
  equal((await keepgate.post(token, '{}', { accept: 'application/json' })).status, 406, 'one type accepted');
  equal((await fetch(new URL('/other', url), { method: 'POST', body: '{}' })).status, 404, 'another path');
});

test('the page that says how to approve is for people, and asks nobody', async () => {
  const id = '0123456789abcdef'.repeat(2);
  const page = new URL(`/approvals/${id}`, keepgate.url());
  const r = await fetch(page);
  const html = await r.text();
  equal([r.status, r.headers.get('content-type'), r.headers.get('cache-control')], [200, 'text/html; charset=utf-8', 'no-store'], 'the page');
  assert(html.includes(`keepgate approvals show ${id}`) && html.includes(`keepgate approvals approve ${id}`), html);
  assert(/default-src 'none'/.test(r.headers.get('content-security-policy')) && !/<script|href|src=/.test(html), 'it loads something');
  const head = await fetch(page, { method: 'HEAD' });
  equal([head.status, head.headers.get('content-length'), await head.text()], [200, String(html.length), ''], 'HEAD');
  equal((await fetch(page, { method: 'POST', body: '' })).status, 405, 'POST');
  equal((await fetch(new URL('/approvals/1', page))).status, 404, 'no id');
});

test('JSON-RPC that is none', async () => {
  const cases = [['{', -32700], ['[]', -32600], ['[{}]', -32600], ['1', -32600], ['{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600], ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":5}', -32600]];
  for (const [body, code] of cases) {
    const r = await keepgate.post(token, body);
    equal([r.status, (await r.json()).error.code], [400, code], body);
  }
});

test('the 2026-07-28 checks, each with its code', async () => {
  const list = modern('tools/list'), call = modern('tools/call', { name: 'notes__list_notes', arguments: {} });
  const cases = [
    ['all right', call, headers('tools/call', 'notes__list_notes'), 200, undefined],
    ['an encoded name', call, headers('tools/call', `=?base64?${Buffer.from('notes__list_notes').toString('base64')}?=`), 200, undefined],
    ['no version header', list, { 'mcp-method': 'tools/list' }, 400, -32020],
    ['another version header', list, { ...headers('tools/list'), 'mcp-protocol-version': '2025-11-25' }, 400, -32020],
    ['no method header', list, { 'mcp-protocol-version': '2026-07-28' }, 400, -32020],
    ['another method', list, headers('tools/call'), 400, -32020],
    ['another letter case', list, headers('TOOLS/LIST'), 400, -32020],
    ['no name', call, headers('tools/call'), 400, -32020],
    ['another name', call, headers('tools/call', 'notes__add_note'), 400, -32020],
    ['an unknown version', { ...list, params: { _meta: { ...envelope, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } } },
      { 'mcp-method': 'tools/list', 'mcp-protocol-version': '2099-01-01' }, 400, -32022],
    ['no envelope', { ...list, params: {} }, headers('tools/list'), 400, -32602],
    ['no capabilities', { ...list, params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } }, headers('tools/list'), 400, -32602],
    ['no such method', modern('ping'), headers('ping'), 404, -32601],
    ['initialize of the new era', modern('initialize'), headers('initialize'), 404, -32601],
    ['a name that is no string', modern('tools/call', { name: 5 }), headers('tools/call', '5'), 400, -32020],
  ];
  for (const [what, body, h, status, code] of cases) {
    const r = await keepgate.post(token, body, h);
    const json = await r.json();
    equal([r.status, json.error?.code, json.id], [status, code, 7], what);
  }
});

test('discover, and results of the new era', async () => {
  const r = (await (await keepgate.post(token, modern('server/discover'), headers('server/discover'))).json()).result;
  equal([r.resultType, r.supportedVersions, r.cacheScope, typeof r.ttlMs], ['complete', ['2026-07-28'], 'private', 'number'], 'discover');
  equal(r._meta['io.modelcontextprotocol/serverInfo'].name, 'keepgate', 'identity');
  const l = (await (await keepgate.post(token, modern('tools/list'), headers('tools/list'))).json()).result;
  equal([l.resultType, l.cacheScope], ['complete', 'private'], 'tools/list');
});

test('sessions of the old eras', async () => {
  for (const version of ['2025-06-18', '2025-11-25']) {
    const { first, session, send } = await keepgate.legacy(token, version);
    equal((await first.json()).result.protocolVersion, version, 'negotiated');
    assert(/^[\x21-\x7e]{16,}$/.test(session), `session ${session}`);
    equal((await send({ jsonrpc: '2.0', method: 'notifications/initialized' })).status, 202, 'initialized');
    equal(await (await send({ jsonrpc: '2.0', id: 'p', method: 'ping' })).json(), { jsonrpc: '2.0', id: 'p', result: {} }, 'ping');
    equal((await keepgate.post(token, { jsonrpc: '2.0', id: 2, method: 'tools/list' })).status, 400, 'without a session');
    equal((await keepgate.post(token, { jsonrpc: '2.0', id: 2, method: 'tools/list' }, { 'mcp-session-id': '0'.repeat(32) })).status, 404, 'an unknown session');
    const other = keepgate.grant('notes/*').token;
    equal((await keepgate.post(other, { jsonrpc: '2.0', id: 2, method: 'tools/list' }, { 'mcp-session-id': session })).status, 404, "somebody else's session");
    const del = () => fetch(keepgate.url(), { method: 'DELETE', headers: { authorization: `Bearer ${token}`, 'mcp-session-id': session } });
    assert([200, 204].includes((await del()).status), 'DELETE');
    equal((await send({ jsonrpc: '2.0', id: 3, method: 'ping' })).status, 404, 'after DELETE');
  }
  const { first } = await keepgate.legacy(token, '2024-11-05');
  assert(['2025-06-18', '2025-11-25'].includes((await first.json()).result.protocolVersion), 'an older version is answered with ours');
});

test('it ends', async () => equal(await keepgate.stop(), 0, 'exit status'));
