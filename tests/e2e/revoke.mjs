// What the guardian revokes: refused at once and over kills, given back with the same token; what a person revokes is final.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { assert, equal, test, until } from './harness.mjs';
import { Receiver, Watched, find } from './watched.mjs';

const rule = (id, tool, time) => `title: ${id}\nid: ${id}\nclass: certain\nseverity: high\nsuppress: 1s\ndetection:\n  selection:\n`
  + `    kind: call\n    phase: intent\n    tool: "mail/${tool}"\ndetector:\n  type: match\n  by: session\nresponse:\n  - act: revoke\n${time}`;
const tool = (name) => ({ ...find, name });
const CODE = /the guardian has revoked/;

let keepgate, hook, dir;
const responses = (s) => keepgate.incidents().filter((i) => i.session === s.session).flatMap((i) => keepgate.show(i.id).responses);
const consent = (s) => JSON.parse(keepgate.cli(['consent', 'show', s.consent, '--json']));
const withdrawn = (r) => r.http === 403 && CODE.test(JSON.stringify(r));
const found = (s) => keepgate.audit().filter((e) => e.event === 'finding' && e.session === s.session);

// A call that begins by the old protocol, whose MCP sessions end with a revoke.
async function again(s) {
  const l = await keepgate.legacy(s.token, '2025-06-18');
  if (!l.session) return { http: l.first.status };
  const r = await l.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'mail__find', arguments: {} } });
  return { http: r.status, ...(await r.json()) };
}
const works = (s) => until('the same token works', async () => {
  const r = await again(s).catch(() => ({}));
  return r.http === 200 && r.result && !r.result.isError;
}, 20000);
const stopped = (s) => until('it is refused', async () => withdrawn(await s.call('mail__find').catch(() => ({}))), 20000);

test('revoke: a tree whose guardian revokes', async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepgate-rules-'));
  fs.writeFileSync(path.join(dir, 'own.yml'), [rule('export', 'export_all', ''), rule('brief', 'export_some', '    for: 4s\n'),
    'title: revoked token\nid: revoked-token\nclass: certain\nseverity: high\ndetection:\n  selection:\n    kind: call\n    decision: deny\n'
    + '    reason_code: session-revoked\ndetector:\n  type: match\n  by: session\n'].join('---\n'));
  hook = await new Receiver().listen();
  keepgate = await new Watched(hook, { rules: dir, blast_radius: { humans: 1000 } }).start([find, tool('export_all'), tool('export_some')],
    { export_all: 'read', export_some: 'read' });
});

test('revoke: refused at once and after a kill of the vault, lifted by one command, and the same token works again', async () => {
  const s = await keepgate.session();
  assert(!(await s.call('mail__find')).result?.isError, 'before');
  await s.call('mail__export_all');
  await stopped(s);
  const back = keepgate.kill('vaultd');
  await back();
  await stopped(s);
  equal([consent(s).state, consent(s).revoked_by], ['revoked', 'guardian'], 'the consent');
  assert(/revoked by the guardian until it is lifted .*export.*keepgate guardian lift \d+/.test(keepgate.cli(['consent', 'show', s.consent])), 'what a person is shown');
  assert(/revoked \(guardian\)/.test(keepgate.cli(['session', 'list'])), 'the list of sessions');
  const [r] = await until('it is active', () => { const all = responses(s); return all[0]?.state === 'active' && all; }, 20000);
  // Who tries again is no second incident, and no user of a revoked token.
  for (let i = 0; i < 20; i++) await s.call('mail__find').catch(() => {});
  equal([responses(s).length, new Set(found(s).map((e) => e.members.rule)).size], [1, 1], 'responses, rules that spoke');
  keepgate.cli(['guardian', 'lift', String(r.id)]);
  await works(s);
  equal(consent(s).state, 'active', 'the consent, lifted');
  await until('lifted in the incident', () => responses(s).every((x) => x.state === 'lifted'));
  await (keepgate.kill('vaultd'))();
  await works(s);
});

test('revoke: one for a time ends by itself', async () => {
  const s = await keepgate.session();
  await s.call('mail__export_some');
  await stopped(s);
  await works(s);
  await until('lifted in the incident', () => responses(s).every((x) => x.state === 'lifted'), 20000);
});

test('revoke: a person makes it final, and its token is a revoked one then', async () => {
  const s = await keepgate.session();
  await s.call('mail__export_all');
  await stopped(s);
  const [r] = await until('it is active', () => { const all = responses(s); return all[0]?.state === 'active' && all; }, 20000);
  keepgate.cli(['consent', 'revoke', s.consent]);
  await until('the order is over', () => responses(s)[0].state === 'lifted', 20000);
  assert(keepgate.run(['guardian', 'lift', String(r.id)]).status !== 0, 'it was lifted once more');
  equal((await again(s)).http, 401, 'its use');
  equal([consent(s).state, consent(s).revoked_by], ['revoked', 'operator'], 'the consent');
  await until('the use of a revoked token is found', () => found(s).some((e) => e.members.rule === 'revoked-token'), 20000);
});

test('revoke: the tree stops', async () => {
  keepgate.cli(['audit', 'verify']);
  equal(await keepgate.stop(), 0, 'exit status');
  await hook.close();
  fs.rmSync(dir, { recursive: true });
});
