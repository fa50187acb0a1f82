// The endpoint beyond the scenario: scopes, the record, what a caller may learn, broken sets, and callers that mean ill.
import net from 'node:net';
import { assert, equal, sleep, test, until } from '../e2e/harness.mjs';
import { Pdp, action, isDecision, isJson, question, resource, subject } from './pdp.mjs';

const ONE = '/access/v1/evaluation', MANY = '/access/v1/evaluations', SEARCH = '/access/v1/search/';
const whole = question('alice', 'read', 'record-1');

let pdp;
test('(start)', async () => {
  pdp = await new Pdp({
    all: { search: true, trusted: true },
    reader: { actions: ['read'], subject_types: ['user'], resource_types: ['record'], search: true },
    other: { resource_types: ['document*'] },
  }).start();
});

test('a token is needed, and only its caller speaks with it', async () => {
  for (const token of [null, 'x', pdp.tokens.all.slice(1), `${pdp.tokens.all}0`, pdp.tokens.all.toUpperCase()]) {
    const r = await pdp.post(ONE, whole, { token });
    equal(r.status, 401, String(token));
    assert(/^Bearer /.test(r.headers['www-authenticate'] ?? ''), 'WWW-Authenticate');
  }
  equal((await pdp.post(ONE, whole, { token: pdp.tokens.other })).status, 403, 'another scope');
  equal((await pdp.post(`${SEARCH}action`, whole, { token: pdp.tokens.other })).status, 403, 'no search');
});

test('scopes hold for every spelling', async () => {
  const token = pdp.tokens.reader;
  isDecision(isJson(await pdp.post(ONE, whole, { token }), 'inside'), true, 'inside');
  const spelled = [{ ...whole, action: action('write') }, { ...whole, subject: { type: 'team', id: 'staff' } }, { ...whole, resource: { type: ' record', id: 'record-1' } },
    { ...whole, resource: { type: 'record ', id: 'record-1' } }, { ...whole, resource: { type: '::record', id: 'record-1' } }, { ...whole, subject: { type: 'User', id: 'alice' } },
    { ...whole, action: action('read\n') }, { ...whole, action: action('Action::"write"') }];
  for (const q of spelled) equal((await pdp.post(ONE, q, { token })).status, 403, JSON.stringify(q));
  equal((await pdp.post(ONE, JSON.stringify(whole).replace('"read"', '"wr\\u0069te"'), { token })).status, 403, 'escaped');
  equal((await pdp.post(ONE, JSON.stringify(whole).replace('"read"', '"r\\u0065ad"'), { token })).status, 200, 'escaped, inside');
  const items = isJson(await pdp.post(MANY, { evaluations: [whole, { ...whole, action: action('write') }] }, { token }), 'array').evaluations;
  equal([items[0].decision, items[1].decision, items[1].context.error.status], [true, false, 403], 'array');
  const names = isJson(await pdp.post(`${SEARCH}action`, whole, { token }), 'search').results.map((x) => x.name);
  equal(names, ['read'], 'actions out of scope are not named');
});

test('who may know, learns which policies', async () => {
  const deny = question('alice', 'write', 'record-2');
  const some = isJson(await pdp.post(ONE, deny), 'trusted'), none = isJson(await pdp.post(ONE, question('alice', 'read', 'x'), { token: pdp.tokens.reader }), 'other');
  assert(/^[0-9a-f]{64}$/.test(some.context.reason_admin.policy_set), JSON.stringify(some));
  equal(isJson(await pdp.post(ONE, whole), 'permit').context.reason_admin.policies, 'staff-reads', 'policies');
  equal(none.context, undefined, 'a permit says nothing to others');
  const forbidden = isJson(await pdp.post(ONE, question('mallory', 'read', 'record-1'), { token: pdp.tokens.reader }), 'forbid');
  equal(forbidden, { decision: false, context: { reason_user: { 403: 'this user is suspended' } } }, 'a reason for people');
});

test('properties are evaluated, and stored ones stay', async () => {
  const ask = async (s, r) => isJson(await pdp.post(ONE, question(s, 'write', r)), 'answer').decision;
  equal(await ask('alice', resource('record-9', { status: 'active' })), true, 'a record that is not stored');
  equal(await ask('alice', resource('record-9', { status: 'archived' })), false, 'the same, archived');
  equal(await ask(subject('carol', { role: 'admin' }), resource('record-9', { status: 'archived' })), true, 'a user that is not stored');
  equal(await ask('alice', resource('record-2', { status: 'active' })), false, 'a stored status is not overridden');
  equal(await ask(subject('mallory', { suspended: false }), 'record-1'), false, 'nor what callers may not supply');
  equal(await ask(subject('alice', { suspended: true }), 'record-1'), true, 'nor taken from them');
  equal(isJson(await pdp.post(ONE, { ...question('alice', 'delete', 'record-1'), context: { soft: false } }), 'x').decision, false, 'context');
});

test('semantics of arrays', async () => {
  const list = { subject: subject('bob'), resource: resource('record-1'), evaluations: ['read', 'write', 'read'].map((n) => ({ action: action(n) })) };
  const ask = async (semantic) => isJson(await pdp.post(MANY, { ...list, options: { evaluations_semantic: semantic } }), semantic).evaluations.map((d) => d.decision);
  equal(await ask('execute_all'), [true, false, true], 'all');
  equal(await ask('deny_on_first_deny'), [true, false], 'deny');
  equal(await ask('permit_on_first_permit'), [true], 'permit');
  equal((await pdp.post(MANY, { ...list, options: { evaluations_semantic: 'any' } })).status, 400, 'unknown');
});

test('every evaluation is on record before it is answered', async () => {
  const id = `record-${Date.now()}`;
  const before = pdp.asked().length;
  isJson(await pdp.post(MANY, { subject: subject('bob'), resource: resource(id), evaluations: ['read', 'write'].map((n) => ({ action: action(n) })) }), 'array');
  isJson(await pdp.post(`${SEARCH}subject`, { subject: { type: 'user' }, action: action('read'), resource: resource('record-1') }), 'search');
  const after = pdp.asked().slice(before);
  equal(after.map((a) => [a.caller, a.kind, a.action, a.decision, a.found]), [['all', 'evaluation', 'read', 'allow', undefined], ['all', 'evaluation', 'write', 'deny', undefined],
    ['all', 'subjects', 'read', undefined, 2]], 'record');
  equal([after[0].subject_id, after[0].resource_id, after[0].policies], ['bob', id, 'staff-reads'], 'record');
  assert(after.every((a) => /^[0-9a-f]{64}$/.test(a.policy_sha256)), 'the set');
});

test('hostile JSON', async () => {
  const text = JSON.stringify(whole);
  const bad = ['['.repeat(100000), text.replace('{"subject"', `{"a":${'['.repeat(200)}${']'.repeat(200)},"subject"`), text.replace('{"subject"', '{"subject":{"type":"user","id":"bob"},"subject"'),
    text.replace('"id":"alice"', '"id":"alice","\\u0069d":"bob"'), text.replace('alice', 'al\\u0000ice'), text.replace('alice', '\\ud800'), `${text}{}`, `\ufeff${text}`,
    text.replace('{"subject"', '{"context":{"n":1e999},"subject"'), text.replace('{"subject"', '{"context":{"n":99999999999999999999},"subject"')];
  for (const b of bad) equal((await pdp.post(ONE, b)).status, 400, b.slice(0, 80));
  equal((await pdp.post(ONE, { ...whole, x: 'a'.repeat(300000) })).status, 413, 'a large body');
  equal((await pdp.post(MANY, { ...whole, evaluations: Array(101).fill({}) })).status, 400, '101 evaluations');
  equal((await pdp.post(`${SEARCH}subject`, { ...whole, page: { limit: 1e21 } })).status, 400, 'no integer');
  const all = isJson(await pdp.post(`${SEARCH}subject`, JSON.stringify({ ...whole, page: { limit: 7 } }).replace('7', '9'.repeat(40))), 'a huge limit');
  equal(all.page.total, all.results.length, 'a huge limit');
});

test('page tokens belong to one search of one caller', async () => {
  const q = { subject: { type: 'user' }, action: action('read'), resource: resource('record-1') };
  const { page } = isJson(await pdp.post(`${SEARCH}subject`, { ...q, page: { limit: 1 } }), 'first');
  const next = { token: page.next_token };
  equal((await pdp.post(`${SEARCH}subject`, { ...q, page: next }, { token: pdp.tokens.reader })).status, 400, 'another caller');
  equal((await pdp.post(`${SEARCH}subject`, { ...q, action: action('write'), page: next })).status, 400, 'another action');
  equal((await pdp.post(`${SEARCH}subject`, { ...q, page: { ...next, limit: 2 } })).status, 400, 'another limit');
  equal((await pdp.post(`${SEARCH}resource`, { ...q, subject: subject('alice'), page: next })).status, 400, 'another endpoint');
  equal((await pdp.post(`${SEARCH}subject`, { ...q, page: next })).status, 200, 'the same');
});

test('methods, paths and ids of requests', async () => {
  const r = await pdp.get(ONE);
  equal([r.status, r.headers.allow], [405, 'POST'], 'GET');
  equal((await pdp.post('/.well-known/authzen-configuration', whole)).headers.allow, 'GET, HEAD', 'POST');
  for (const p of ['/', '/access', '/access/v1/evaluation/', '/access/v2/evaluation', '//access/v1/evaluation', '/mcp'])
    equal((await pdp.post(p, whole)).status, 404, p);
  equal((await pdp.post(ONE, whole, { headers: { 'x-request-id': 'a'.repeat(257) } })).status, 400, 'a long id');
});

test('many at once: each gets its own answer', async () => {
  const rounds = Array.from({ length: 400 }, (_, i) => (async () => {
    const allowed = i % 3 !== 0;
    const r = await pdp.post(ONE, question(allowed ? 'alice' : 'bob', 'write', 'record-1'), { headers: { 'x-request-id': `n${i}` } });
    equal([isJson(r, 'answer').decision, r.headers['x-request-id']], [allowed, `n${i}`], `question ${i}`);
  })());
  await Promise.all(rounds);
});

test('slow and broken callers hold nothing up', async () => {
  const head = `POST ${ONE} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${pdp.tokens.all}\r\nContent-Type: application/json\r\n`;
  const sockets = Array.from({ length: 40 }, () => net.connect(pdp.port, '127.0.0.1').on('error', () => {}));
  sockets.forEach((s, i) => s.write(i % 2 ? `${head}Content-Length: 100000\r\n\r\n{` : head));
  await sleep(300);
  isDecision(isJson(await pdp.post(ONE, whole), 'beside them'), true, 'beside them');
  const answer = (text) => new Promise((resolve) => {
    const s = net.connect(pdp.port, '127.0.0.1');
    let got = '';
    s.on('data', (d) => (got += d)).on('close', () => resolve(got)).on('error', () => resolve(got));
    s.write(text);
  });
  assert(/^HTTP\/1.1 400 /.test(await answer(`${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`)), 'two lengths');
  assert(/^HTTP\/1.1 413 /.test(await answer(`${head}Content-Length: 999999999\r\n\r\n`)), 'a long body that never comes');
  assert(/^HTTP\/1.1 401 /.test(await answer(`POST ${ONE} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n`)), 'nobody is waited for');
  for (const s of sockets) s.destroy();
});

test('keep-alive and pipelining', async () => {
  const body = JSON.stringify(whole), deny = JSON.stringify(question('bob', 'write', 'record-1'));
  const req = (b) => `POST ${ONE} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${pdp.tokens.reader}\r\nContent-Type: application/json\r\nContent-Length: ${b.length}\r\n\r\n${b}`;
  const s = net.connect(pdp.port, '127.0.0.1');
  let got = '';
  s.on('data', (d) => (got += d)).on('error', () => {});
  s.write(req(body) + req(body) + req(deny));
  await until('three answers', () => got.split('HTTP/1.1 ').length === 4);
  const statuses = [...got.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => m[1]);
  equal(statuses, ['200', '200', '403'], 'statuses');
  s.destroy();
});

test('without the recorder nothing is answered; then again', async () => {
  const recorder = (await pdp.keepgate.roles()).find((n) => n.role === 'recorder');
  process.kill(recorder.pid, 'SIGSTOP');
  const waiting = pdp.post(ONE, whole);
  const first = await Promise.race([waiting.then(() => 'answered'), sleep(500).then(() => 'waits')]);
  process.kill(recorder.pid, 'SIGKILL');
  equal(first, 'waits', 'an answer before the record');
  const r = await waiting;
  assert(r.status === 503, `status ${r.status}`);
  await until('the recorder', async () => (await pdp.post(ONE, whole)).status === 200);
});

test('a broker that ends does not leave callers waiting', async () => {
  const broker = (await pdp.keepgate.roles()).find((n) => n.role === 'broker');
  process.kill(broker.pid, 'SIGKILL');
  await until('the broker', async () => {
    const r = await pdp.post(ONE, whole);
    assert([200, 503].includes(r.status), String(r.status));
    return r.status === 200 && r.json.decision === true;
  });
});
test('(stop)', async () => { equal(await pdp.stop(), 0, 'status of keepgate up'); });

test('without a good set everything is denied, and nothing found', async () => {
  pdp = await new Pdp(undefined, { 'a.cedar': 'permit (principal, action == Action::"fly", resource);' }).start({ good: false });
  const deny = isJson(await pdp.post(ONE, whole), 'answer');
  equal([deny.decision, deny.context.reason_user], [false, { 403: 'no valid set of policies is in force' }], 'answer');
  assert(/^policy-none$/.test(deny.context.reason_admin.reason_code), JSON.stringify(deny));
  equal(isJson(await pdp.post(`${SEARCH}action`, whole), 'search').results, [], 'search');
  await pdp.stop();
});

test('a token that was never given', async () => {
  pdp = new Pdp({ all: { search: true } });
  pdp.tokens.nobody = 'nobody';
  const { tokens } = await pdp.start();
  const role = (await pdp.keepgate.roles()).filter((n) => n.role === 'authzen').length;
  equal([role, (await pdp.post(ONE, whole, { token: tokens.nobody })).status], [1, 401], 'nobody');
  await pdp.stop();
});
