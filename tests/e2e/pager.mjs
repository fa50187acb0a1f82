// Pages end to end: Debian's Alertmanager, a receiver that checks signatures, a provider that is down for a while.
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Keepgate, Program, assert, build, equal, freePort, test, until } from './harness.mjs';

const notes = () => ({ command: path.join(build, 'notes'), tiers: { list_notes: 'read', add_note: 'write', wipe_notes: 'destructive' } });
const key = `whsec_${crypto.randomBytes(32).toString('base64')}`;
const has = (program) => spawnSync('which', [program]).status === 0;

// A receiver of one's own: keeps the events whose signature is right, answers with `status`.
async function receiver() {
  const r = { events: [], refused: 0, status: 204 };
  const server = http.createServer((q, a) => {
    const chunks = [];
    q.on('data', (c) => chunks.push(c));
    q.on('end', () => {
      const body = Buffer.concat(chunks);
      const [id, ts, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((n) => q.headers[n] ?? '');
      const mac = crypto.createHmac('sha256', Buffer.from(key.slice(6), 'base64')).update(`${id}.${ts}.`).update(body).digest('base64');
      const right = given === `v1,${mac}` && Math.abs(Date.now() / 1000 - Number(ts)) < 300; // as Standard Webhooks has it
      if (right) r.events.push({ id, ...JSON.parse(body) });
      else r.refused++;
      a.writeHead(r.status, r.status === 503 ? { 'retry-after': '1' } : {}).end();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  r.url = `http://127.0.0.1:${server.address().port}/hook`;
  r.close = () => new Promise((done) => { server.closeAllConnections(); server.close(done); });
  return r;
}

// The real program, on loopback, without its cluster.
async function alertmanager() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepgate-am-')), port = await freePort();
  fs.writeFileSync(path.join(dir, 'am.yml'), 'route:\n  receiver: none\n  group_by: [incident]\nreceivers:\n- name: none\n');
  const url = `http://127.0.0.1:${port}`;
  let program;
  const begin = async () => {
    program = new Program('prometheus-alertmanager', [`--config.file=${dir}/am.yml`, `--storage.path=${dir}/data`,
      `--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address=']);
    await program.listening(port);
    await until('Alertmanager', async () => (await fetch(`${url}/-/ready`)).ok);
  };
  await begin();
  return {
    url,
    restart: async () => { await program.stop('SIGKILL'); await begin(); },
    alerts: async () => (await fetch(`${url}/api/v2/alerts`)).json(),
    stop: async () => { await program.stop(); fs.rmSync(dir, { recursive: true, force: true }); },
  };
}

// A token is used after its consent was revoked: certain, of high severity.
async function misuse(keepgate) {
  const { token, consent } = keepgate.grant('notes/*');
  await keepgate.ready(token, 'notes');
  keepgate.cli(['consent', 'revoke', consent]);
  await until('a refusal', async () => (await keepgate.post(token, { jsonrpc: '2.0', id: 1, method: 'tools/list' })).status === 401);
}

async function start(channels) {
  const keepgate = new Keepgate({ notes: notes() }, { guardian: { channels, console_url: 'https://console.example' } });
  await keepgate.start({ secrets: channels.hook ? [{ name: 'hook', server: 'pager-hook', kind: 'env', slot: 'secret', value: key }] : [] });
  return keepgate;
}

async function kill(keepgate, role) {
  const was = await until(`the ${role}`, () => keepgate.status()?.find((p) => p.role === role && p.state === 'ready'));
  process.kill(was.pid, 'SIGKILL');
  await until(`another ${role}`, () => keepgate.status()?.some((p) => p.role === role && p.state === 'ready' && p.pid !== was.pid));
}

const incidents = (keepgate) => JSON.parse(keepgate.cli(['incident', 'list', '--json']));

if (has('prometheus-alertmanager'))
  test('an incident fires and ends at a real Alertmanager', async () => {
    const am = await alertmanager(), keepgate = await start({ am: { kind: 'alertmanager', url: am.url.replace('127.0.0.1', 'localhost') } }); // a name is resolved, inside of both locks
    keepgate.cli(['pager', 'test', 'am']);
    const check = await until('the test alert', async () => (await am.alerts()).find((a) => a.labels.alertname === 'KeepgateTest'));
    equal(check.status.state, 'active', 'its state');
    await misuse(keepgate);
    const alert = await until('the alert', async () => (await am.alerts()).find((a) => a.labels.alertname === 'KeepgateIncident'));
    const [incident] = incidents(keepgate);
    equal(alert.labels.incident, incident.id, 'its incident');
    equal(alert.labels.severity, incident.severity, 'its severity');
    assert(alert.annotations.summary.length > 0, 'it says nothing');
    equal(alert.generatorURL, `https://console.example/incidents/${incident.id}`, 'its link');
    assert(Date.parse(alert.endsAt) > Date.now() + 86400e3, 'it would end by itself');
    // It has forgotten the alert, and has it again: here from a new pager, which does not wait for the two minutes.
    keepgate.cli(['incident', 'ack', incident.id]);
    await am.restart();
    const delivered = () => JSON.parse(keepgate.cli(['incident', 'show', incident.id, '--json'])).pages;
    const pages = delivered();
    await kill(keepgate, 'pager');
    const again = await until('the alert again', async () => (await am.alerts()).find((a) => a.labels.alertname === 'KeepgateIncident'));
    equal(again.labels, alert.labels, 'its labels');
    assert(Date.parse(again.endsAt) > Date.now() + 86400e3, 'it would end by itself');
    equal(delivered(), pages, 'its pages: a repetition is none');
    keepgate.cli(['incident', 'resolve', incident.id]);
    await until('its end', async () => !(await am.alerts()).some((a) => a.labels.alertname === 'KeepgateIncident'));
    await keepgate.stop();
    await am.stop();
  });
else
  console.log('skip Alertmanager: prometheus-alertmanager is not installed (packages.txt)');

if (!has('ntfy')) console.log('skip ntfy: Debian has no package of it');

test('pages are signed, come again until they are taken, and have one key', async () => {
  const hook = await receiver();
  hook.status = 503;
  const keepgate = await start({ hook: { kind: 'webhook', url: hook.url, secret: '${secret:hook}' } });
  await misuse(keepgate);
  await until('a try', () => hook.events.length > 0);
  // Neither role's death loses it.
  for (const role of ['pager', 'recorder'])
    await kill(keepgate, role);
  const tries = hook.events.length;
  hook.status = 204;
  await until('another try', () => hook.events.length > tries, 120000);
  const [incident] = incidents(keepgate), first = hook.events[0], again = hook.events[tries];
  equal(first.id, again.id, 'the key of the page that came again');
  equal([first.type, first.subject, first.specversion], ['keepgate.incident.triggered', incident.id, '1.0'], 'the event');
  equal(hook.refused, 0, 'wrong signatures');
  keepgate.cli(['incident', 'ack', incident.id]);
  await until('the acknowledgement', () => hook.events.some((e) => e.type === 'keepgate.incident.acknowledged'));
  keepgate.cli(['incident', 'resolve', incident.id]);
  await until('the resolution', () => hook.events.some((e) => e.type === 'keepgate.incident.resolved' && e.subject === incident.id));
  await keepgate.stop();
  await hook.close();
});
