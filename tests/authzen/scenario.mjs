// The certification scenario of the Authorization API 1.0, line by line: each test is named by the scenario's own
// identifier. Levels: Basic, Batch and Search, each Core and Properties, and Discovery.
import { assert, equal, test } from '../e2e/harness.mjs';
import { Pdp, action, isDecision, isJson, question, resource, subject } from './pdp.mjs';

const ONE = '/access/v1/evaluation', MANY = '/access/v1/evaluations', SEARCH = '/access/v1/search/';
const context = { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' };
const archived = resource('record-2', { status: 'archived' });
const admin = subject('bob', { role: 'admin' });

let pdp;
test('(start)', async () => { pdp = await new Pdp().start(); });

const one = (name, body, want) => test(name, async () => {
  isDecision(isJson(await pdp.post(ONE, body), name), want, name);
});
const refused = (name, target, body) => test(name, async () => {
  equal((await pdp.post(target, body)).status, 400, name);
});

// Required Fixture, decision rules.
one('c-1-4 rule 1: alice reads record-1', question('alice', 'read', 'record-1'), true);
one('c-1-4 rule 2: alice writes record-1', question('alice', 'write', 'record-1'), true);
one('c-1-4 rule 3: bob reads record-1', question('bob', 'read', 'record-1'), true);
one('c-1-4 rule 4: bob does not write record-1', question('bob', 'write', 'record-1'), false);
one('c-1-4 rule 5: alice does not write what is archived', question('alice', 'write', archived), false);
one('c-1-4 rule 6: an admin writes what is archived', question(admin, 'write', archived), true);
one('c-1-4 rule 7: alice deletes softly', question('alice', action('delete', { soft: true }), 'record-1'), true);
one('c-1-4 rule 8: alice does not delete for good', question('alice', action('delete', { soft: false }), 'record-1'), false);

// Basic.
one('c-2-2-1 permit', question('alice', 'read', 'record-1'), true);
one('c-2-2-2 deny', question('bob', 'write', 'record-1'), false);
one('c-2-2-3 with context', { ...question('alice', 'read', 'record-1'), context }, true);
one('c-2-2-4 deny by properties of the resource', question('alice', 'write', archived), false);
one('c-2-2-5 permit by properties of the subject', question(admin, 'write', archived), true);
one('c-2-2-6 permit by properties of the action', question('alice', action('delete', { soft: true }), 'record-1'), true);
one('c-2-2-7 deny by properties of the action', question('alice', action('delete', { soft: false }), 'record-1'), false);
one('c-2-2-8 with more properties', question(subject('alice', { department: 'Sales', role: 'manager' }), action('read', { method: 'GET' }),
  resource('record-1', { status: 'active', owner: 'bob' })), true);
one('c-2-2-9 with unknown fields', { ...question('alice', 'read', 'record-1'), foo: 'bar', futureField: { nested: true } }, true);

test('c-2-3-1 c-2-3-2 form of the answer', async () => {
  for (const q of [question('alice', 'read', 'record-1'), question('bob', 'write', 'record-1')])
    isDecision(isJson(await pdp.post(ONE, q), 'answer'), undefined, 'answer');
});

const whole = question('alice', 'read', 'record-1');
const without = (name, member) => {
  const q = structuredClone(whole);
  if (member) delete q[name][member]; else delete q[name];
  return q;
};
for (const name of ['subject', 'action', 'resource']) refused(`c-2-4-1 without ${name}`, ONE, without(name));
for (const [name, member] of [['subject', 'type'], ['subject', 'id'], ['action', 'name'], ['resource', 'type'], ['resource', 'id']])
  refused(`c-2-4-2 ${name} without ${member}`, ONE, without(name, member));
for (const target of [ONE, MANY, `${SEARCH}subject`, `${SEARCH}resource`, `${SEARCH}action`]) {
  test(`c-2-4-3 another content type: ${target}`, async () => {
    for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])
      equal((await pdp.post(target, whole, { headers: { 'content-type': type } })).status, 400, type);
    equal((await pdp.request('POST', target, JSON.stringify(whole))).status, 400, 'none');
  });
  refused(`c-2-4-4 no JSON: ${target}`, target, '{"subject":');
  refused(`c-2-4-5 empty: ${target}`, target, '');
}
refused('c-2-4-6 subject is a string', ONE, { ...whole, subject: 'alice' });
refused('c-2-4-6 action.name is a number', ONE, { ...whole, action: { name: 123 } });

test('c-2-5-1 X-Request-ID is echoed', async () => {
  const headers = { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' };
  const answers = [await pdp.post(ONE, whole, { headers }), await pdp.post(MANY, { evaluations: [whole] }, { headers }),
    await pdp.post(`${SEARCH}action`, whole, { headers }), await pdp.post(ONE, '{', { headers })];
  for (const r of answers) equal(r.headers['x-request-id'], headers['x-request-id'], r.text);
});
test('c-2-5-2 X-Request-ID absent', async () => { isDecision(isJson(await pdp.post(ONE, whole), 'answer'), true, 'answer'); });
test('c-2-6 idempotency', async () => {
  for (let i = 0; i < 20; i++) {
    isDecision(isJson(await pdp.post(ONE, whole), 'permit'), true, 'permit');
    isDecision(isJson(await pdp.post(ONE, question('bob', 'write', 'record-1')), 'deny'), false, 'deny');
  }
});

// Batch.
const many = (name, body, want) => test(name, async () => {
  const got = isJson(await pdp.post(MANY, body), name).evaluations;
  assert(Array.isArray(got), name);
  equal(got.length, want.length, `${name}: length`);
  got.forEach((d, i) => isDecision(d, want[i], `${name}: ${i}`));
});
many('c-3-2-1 an array', { subject: subject('alice'), action: action('read'), evaluations: [{ resource: resource('record-1') }, { resource: resource('record-2') }] },
  [undefined, undefined]);
many('c-3-2-2 c-3-3-2 decisions in order', { subject: subject('bob'), resource: resource('record-1'), evaluations: [{ action: action('read') }, { action: action('write') }] },
  [true, false]);
many('c-3-2-3 properties of resources', { subject: subject('alice'), action: action('write'),
  evaluations: [{ resource: resource('record-1', { status: 'active' }) }, { resource: archived }] }, [true, false]);
many('c-3-2-4 properties of subjects', { action: action('write'), resource: archived, evaluations: [{ subject: subject('alice') }, { subject: admin }] }, [false, true]);
many('c-3-2-5 without defaults', { evaluations: [whole, question('bob', 'write', 'record-1')] }, [true, false]);
many('c-3-2-6 context is inherited', { subject: subject('alice'), action: action('read'), context: { time: context.time },
  evaluations: [{ resource: resource('record-1') }, { resource: resource('record-2'), context: { time: '2025-06-27T19:00-07:00', source: 'batch-override' } }] },
[undefined, undefined]);
many('c-3-2-7 whole defaults', { subject: subject('alice'), action: action('write'), resource: resource('record-1', { status: 'active' }),
  evaluations: [{}, { resource: archived }] }, [true, false]);
many('c-3-3-1 c-3-3-3 as many answers as questions', { subject: subject('alice'), action: action('read'),
  evaluations: Array.from({ length: 100 }, (_, i) => ({ resource: resource(`record-${i % 2 + 1}`) })) }, Array(100).fill(true));
test('c-3-3-4 no decision beside the array', async () => {
  assert(!('decision' in isJson(await pdp.post(MANY, { evaluations: [whole] }), 'answer')), 'decision');
});
many('c-3-4-1 one evaluation lacks its resource', { subject: subject('alice'), action: action('read'), options: { evaluations_semantic: 'execute_all' },
  evaluations: [{ resource: resource('record-1') }, {}] }, [true, false]);
for (const [name, body] of [['c-3-4-2 without the array', whole], ['c-3-4-3 an empty array', { ...whole, evaluations: [] }]])
  test(name, async () => {
    const got = isJson(await pdp.post(MANY, body), name);
    isDecision(got, true, name);
    assert(!('evaluations' in got), name);
  });

// Search.
const found = (r, what) => {
  const got = isJson(r, what);
  assert(Array.isArray(got.results), `${what}: results`);
  if ('page' in got) equal([typeof got.page, typeof got.page.next_token], ['object', 'string'], `${what}: page`);
  return got.results;
};
const search = (name, kind, body, want, same) => test(name, async () => {
  const got = found(await pdp.post(SEARCH + kind, body), name);
  for (const x of got)
    if (kind === 'action') equal([typeof x.name, 'type' in x, 'id' in x], ['string', false, false], name);
    else equal([x.type, typeof x.id], [kind === 'subject' ? 'user' : 'record', 'string'], name);
  for (const id of want) assert(got.some((x) => (x.id ?? x.name) === id), `${name}: ${id} is missing in ${JSON.stringify(got)}`);
  if (same) equal(got, found(await pdp.post(SEARCH + kind, same), name), `${name}: another result`);
});
const subjects = { subject: { type: 'user' }, action: action('read'), resource: resource('record-1') };
const resources = { subject: subject('alice'), action: action('read'), resource: { type: 'record' } };
const actions = { subject: subject('alice'), resource: resource('record-1') };
search('c-4-2-1 S1 subjects', 'subject', subjects, ['alice', 'bob']);
search('c-4-2-2 subjects with context', 'subject', { ...subjects, context }, ['alice', 'bob'], subjects);
search('c-4-2-3 subjects with an id', 'subject', { ...subjects, subject: subject('alice') }, ['alice', 'bob'], subjects);
search('c-4-2-4 S4 subjects by properties', 'subject', { subject: { type: 'user' }, action: action('write'), resource: archived }, ['bob']);
search('c-4-3-1 S2 resources', 'resource', resources, ['record-1']);
search('c-4-3-2 resources with context', 'resource', { ...resources, context }, ['record-1'], resources);
search('c-4-3-3 resources with an id', 'resource', { ...resources, resource: resource('record-1') }, ['record-1'], resources);
search('c-4-3-4 S5 resources by properties', 'resource', { subject: admin, action: action('write'), resource: { type: 'record' } }, ['record-2']);
search('c-4-4-1 S3 actions', 'action', actions, ['read', 'write']);
search('c-4-4-2 actions with context', 'action', { ...actions, context }, ['read', 'write'], actions);
search('c-4-4-3 S6 actions by properties', 'action', { subject: admin, resource: archived }, ['write']);

test('c-4-5-1 c-4-5-2 c-4-5-3 pages', async () => {
  const seen = [];
  let page = { limit: 1 }, pages = 0;
  do {
    const got = isJson(await pdp.post(`${SEARCH}subject`, { ...subjects, page }), 'page');
    equal([typeof got.page, typeof got.page.next_token, got.page.count], ['object', 'string', got.results.length], 'page');
    assert(got.results.length <= 1, 'limit');
    seen.push(...got.results.map((x) => x.id));
    page = { token: got.page.next_token };
    pages++;
  } while (page.token !== '' && pages < 10);
  equal(seen, ['alice', 'bob'], 'all pages');
  const all = isJson(await pdp.post(`${SEARCH}subject`, subjects), 'without a page');
  equal([all.page.next_token, all.page.total, all.results.length], ['', 2, 2], 'one page');
});

for (const [kind, body] of Object.entries({ subject: subjects, resource: resources, action: actions }))
  test(`c-4-6 nothing found: ${kind}`, async () => {
    const unknown = kind === 'subject' ? [{ ...body, resource: { type: 'record', id: 'nonexistent' }, action: action('delete') }]
      : [{ ...body, subject: subject('nonexistent-user') }];
    unknown.push({ ...body, subject: { ...body.subject, type: 'spaceship' } }, { ...body, resource: { ...body.resource, type: 'spaceship' } });
    if (kind !== 'action') unknown.push({ ...body, action: action('fly') });
    for (const q of unknown) equal(found(await pdp.post(SEARCH + kind, q), kind), [], JSON.stringify(q));
  });

refused('c-4-7-1 subjects without action', `${SEARCH}subject`, { subject: { type: 'user' }, resource: resource('record-1') });
refused('c-4-7-1 resources without subject', `${SEARCH}resource`, { action: action('read'), resource: { type: 'record' } });
refused('c-4-7-1 actions without resource', `${SEARCH}action`, { subject: subject('alice') });
const bare = { subject: { type: 'user' }, action: action('read'), resource: { type: 'record' } };
refused('c-4-7-2 subjects: resource without id', `${SEARCH}subject`, bare);
refused('c-4-7-2 resources: subject without id', `${SEARCH}resource`, bare);
refused('c-4-7-2 actions: subject without id', `${SEARCH}action`, { subject: { type: 'user' }, resource: resource('record-1') });

// Transport (the proxy before the endpoint speaks TLS) and Discovery.
test('c-5 HTTPS, content types, 400, X-Request-ID, unknown fields', async () => {
  const r = await pdp.post(ONE, { ...whole, unknown: [1, { a: null }] }, { headers: { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'c-5' } });
  isDecision(isJson(r, 'answer'), true, 'answer');
  equal(r.headers['x-request-id'], 'c-5', 'X-Request-ID');
});
test('c-6 metadata', async () => {
  const got = isJson(await pdp.get('/.well-known/authzen-configuration', { token: null }), 'metadata');
  equal(got.policy_decision_point, pdp.base, 'policy_decision_point');
  const paths = { access_evaluation: ONE, access_evaluations: MANY, search_subject: `${SEARCH}subject`, search_resource: `${SEARCH}resource`, search_action: `${SEARCH}action` };
  for (const [name, target] of Object.entries(paths)) {
    const url = new URL(got[`${name}_endpoint`]);
    equal([url.protocol, url.origin + url.pathname], ['https:', pdp.base + target], name);
  }
  assert(got.capabilities === undefined || got.capabilities.every((c) => typeof c === 'string'), 'capabilities');
  equal(got.signed_metadata, undefined, 'signed_metadata');
});
test('(stop)', async () => { equal(await pdp.stop(), 0, 'status of keepgate up'); });
