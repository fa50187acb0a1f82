// What was found and contains nothing: the policies see it in the next call, until it is resolved, whatever is restarted.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { assert, equal, root, test, until } from './harness.mjs';
import { Receiver, Watched, find, rpc, send } from './watched.mjs';

// Both speak of one call, and neither has a response: 60 + 20 points.
const RULES = `title: Odd
id: own-odd
class: statistical
severity: critical
page: true
detection: {selection: {kind: call, phase: intent, tool: mail/odd}}
detector: {type: match, by: session}
---
title: Odd too
id: own-odd-too
class: scoring
severity: high
detection: {selection: {kind: call, phase: intent, tool: mail/odd}}
detector: {type: match, by: session}
`;
const odd = { ...find, name: 'odd' };
let keepgate, hook, dir, s, other;

const temporary = (name) => fs.mkdtempSync(path.join(os.tmpdir(), name));
const write = (session = s) => session.call('mail__send', { to: 'bob@example.com' });
const worked = (r) => r.http === 200 && r.result && !r.result.isError;
const asksPerson = (r) => /needs a person's approval/.test(JSON.stringify(r));
const calls = (tool) => keepgate.audit().filter((e) => e.kind === 'call' && e.phase === 'intent' && e.tool?.name === tool && e.session === s.session);
const last = (tool) => calls(tool).at(-1);
const riskOf = (e) => (typeof e.facts === 'string' ? JSON.parse(e.facts) : e.facts).base.risk;

test('risk: a tree with rules that only find', async () => {
  dir = temporary('keepgate-rules-');
  fs.writeFileSync(path.join(dir, 'own.yml'), RULES);
  hook = await new Receiver().listen();
  keepgate = await new Watched(hook, { rules: dir }).start([find, send, odd], { odd: 'read' });
  s = await keepgate.session();
  other = await keepgate.session();
  assert(worked(await write()), 'before');
  equal(riskOf(last('send')), 0, 'the risk before');
});

test('risk: the next call that writes needs a person, and says why; reading goes on, and so do others', async () => {
  const r = await s.call('mail__odd', { q: 'x' });
  assert(worked(r), `the call itself: ${JSON.stringify(r)}`);
  const next = await write();
  assert(asksPerson(next), JSON.stringify(next));
  const denial = last('send');
  equal([denial.decision, denial.reason_code], ['deny', 'approval-required'], 'its record');
  assert(riskOf(denial) > 70 && riskOf(denial) <= 80, `its risk: ${riskOf(denial)}`);
  const [approval] = JSON.parse(keepgate.cli(['approvals', 'list', '--json']));
  const shown = keepgate.cli(['approvals', 'show', approval.id]);
  assert(/high risk/.test(shown), `what the approver reads: ${shown}`);
  assert(worked(await s.call('mail__find', { q: 'x' })), 'reading');
  assert(worked(await write(other)), 'another session');
  keepgate.cli(['approvals', 'approve', approval.id]);
  assert(worked(await write()), 'with the approval');
  assert(asksPerson(await write()), 'it was for one call');
});

test('risk: people see the score and what it is made of', async () => {
  const { risk } = JSON.parse(keepgate.cli(['guardian', 'status', '--json']));
  equal(risk.map((x) => x.kind), ['session', 'human', 'agent'], JSON.stringify(risk));
  equal(risk[0].subject, s.session, 'whose');
  equal(risk[0].why.map((w) => w.rule), ['own-odd', 'own-odd-too'], JSON.stringify(risk[0]));
  const [incident] = keepgate.incidents('open');
  const shown = keepgate.cli(['incident', 'show', incident.id]);
  assert(/RISK +OF +WHO/.test(shown) && /own-odd (5\d|60), own-odd-too (1\d|20)/.test(shown), shown);
});

test('risk: the record is enough to explain the decision, and to decide it by another set', async () => {
  const denial = last('send');
  const explained = keepgate.cli(['policy', 'explain', '--event', String(denial.seq)]);
  assert(/risk-needs-approval/.test(explained) && /risk\.cedar:\d+/.test(explained), explained);
  const next = path.join(temporary('keepgate-set-'), 'next');
  fs.cpSync(path.join(root, 'policies/default'), next, { recursive: true });
  const file = path.join(next, 'risk.cedar');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('risk >= 60', 'risk >= 95'));
  const { stdout, stderr } = keepgate.run(['policy', 'diff', next, '--since', '1h']);
  assert(/mail\/send/.test(stdout) && /approval +allow/.test(stdout), stdout + stderr);
});

test('risk: neither a killed recorder nor a killed broker takes it away', async () => {
  for (const program of ['guardiand-recorder', 'gatewayd-broker']) {
    await until('its role', () => keepgate.role(program));
    const n = calls('send').length, back = keepgate.kill(program);
    // Until all is there again nothing is let through.
    await back();
    await until(`a call after ${program}`, async () => {
      const r = await write().catch(() => ({}));
      assert(!worked(r), `it went through after ${program}: ${JSON.stringify(r)}`);
      if (r.http === 404 || /initialize/.test(JSON.stringify(r))) s.call = (await reopened()).call;
      return asksPerson(r);
    });
    assert(calls('send').slice(n).every((e) => e.decision === 'deny' && riskOf(e) > 60), `after ${program}: ${calls('send').slice(n).map(riskOf)}`);
  }
});

// The MCP session lives in the broker; the agent's own does not.
async function reopened() {
  const { send: post } = await keepgate.legacy(s.token, '2025-06-18');
  return {
    call: async (name, args = {}) => {
      const r = await post(rpc('tools/call', { name, arguments: args }));
      return { http: r.status, ...(await r.json()) };
    },
  };
}

test('risk: an incident that a person resolves takes it back', async () => {
  const [incident] = keepgate.incidents('open');
  keepgate.cli(['incident', 'resolve', incident.id, '--note', 'a drill']);
  // The broker hears it on another connection than we do.
  await until('a call without a person', async () => worked(await write()), 5000);
  equal(riskOf(last('send')), 0, 'the risk after');
  equal(JSON.parse(keepgate.cli(['guardian', 'status', '--json'])).risk, [], 'what is shown');
});

test('risk: the record verifies, and all ends', async () => {
  keepgate.cli(['audit', 'verify']);
  equal(await keepgate.stop(), 0, 'exit status');
  await hook.close();
  fs.rmSync(dir, { recursive: true });
});
