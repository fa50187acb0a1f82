// A Keepgate that is watched: a receiver of its pages, sessions with a human and an agent of their own, and spikes of denials.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import path from 'node:path';
import { Keepgate, Program, assert, build, freePort, node, root, until } from './harness.mjs';

const SHIFTY = path.join(root, 'tests/e2e/shifty_server.mjs');
const SECRET = `whsec_${Buffer.from('another shared secret of 34 bytes.').toString('base64')}`;
const DOORS = 5; // denials that differ after which the shipped rule alarms
const text = { type: 'string' };
const object = (properties) => ({ type: 'object', properties });
export const find = { name: 'find', description: 'Finds messages', inputSchema: object({ q: text }), annotations: { readOnlyHint: true } };
export const send = { name: 'send', description: 'Sends a message', inputSchema: object({ to: text }) };
export const rpc = (method, params, id = 1) => ({ jsonrpc: '2.0', id, method, params });

// A generic webhook: refuses what is not signed as Standard Webhooks says, and keeps what came, whatever it answers.
export class Receiver {
  pages = [];
  answer = () => 204;
  headers = {}; // of its answers

  async listen(port = 0) {
    this.server = createServer((req, res) => {
      let body = '';
      req.on('data', (d) => (body += d));
      req.on('end', () => {
        const { 'webhook-id': id, 'webhook-timestamp': ts, 'webhook-signature': signature } = req.headers;
        const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
        const right = signature?.split(' ').includes(`v1,${createHmac('sha256', key).update(`${id}.${ts}.${body}`).digest('base64')}`);
        const code = right ? this.answer() : 401;
        this.pages.push({ at: performance.now(), id, code, ...JSON.parse(body) });
        res.writeHead(code, this.headers).end();
      });
    });
    await new Promise((r) => this.server.listen(port, '127.0.0.1', r));
    this.port = this.server.address().port;
    return this;
  }

  channel(settings = {}) {
    return { kind: 'webhook', url: `http://127.0.0.1:${this.port}/page`, secret: '${secret:hook}', per_minute: 600, ...settings };
  }

  // What arrived about an incident, alone or in one page with others.
  about(incident, action = 'incident.triggered') {
    return this.pages.filter((p) => p.code < 300 && p.data.action === action
      && (p.data.incident === incident || p.data.details?.incidents?.includes(incident)));
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((r) => this.server.close(r));
  }
}

export const secret = { name: 'hook', server: 'pager-oncall', kind: 'env', slot: 'secret', value: SECRET };

// Something of a tree: keepgate with the server "mail", paging `receiver`.
export class Watched extends Keepgate {
  people = 0;

  constructor(receiver, guardian = {}, settings = {}) {
    super({}, { guardian: { channels: { oncall: receiver.channel() }, ...guardian }, ...settings });
  }

  async start(tools = [find, send], tiers = {}) {
    this.mailPort = await freePort();
    this.mail = await new Program(node, [SHIFTY, String(this.mailPort), JSON.stringify(tools)]).listening(this.mailPort);
    this.servers.mail = { url: `http://127.0.0.1:${this.mailPort}/mcp`, tiers: { find: 'read', send: 'write', ...tiers } };
    await super.start({ secrets: this.settings.guardian.channels.oncall ? [secret] : [] });
    const { token } = this.granted();
    await this.ready(token, 'mail');
    return this;
  }

  async stop() {
    const code = await super.stop();
    await this.mail.stop();
    return code;
  }

  results(of) {
    return fetch(`http://127.0.0.1:${this.mailPort}/results`, { method: 'PUT', body: JSON.stringify(of) });
  }

  granted(tools = 'mail/*') {
    this.people++;
    return JSON.parse(this.cli(['consent', 'grant', '--human', `person-${this.people}@example.com`, '--agent', `agent-${this.people}`,
      '--tools', tools, '--tier', 'write', '--for', '1h', '--why', 'TEST-1', '--json']));
  }

  // Findings about the same human and agent are one incident; here each session has its own.
  async session(tools) {
    const granted = this.granted(tools);
    // A gateway that has just lost its vault or its recorder opens no MCP session.
    const { send: post, session: mcp } = await until('an MCP session', async () => {
      const l = await this.legacy(granted.token, '2025-06-18');
      return l.session && l;
    });
    const call = async (name, args = {}) => {
      const r = await post(rpc('tools/call', { name, arguments: args }));
      return { http: r.status, ...(await r.json()) };
    };
    return { ...granted, mcp, call };
  }

  // Tries doors until the rule must have alarmed.
  async spike(s, doors = DOORS) {
    for (let i = 0; i < doors; i++) await s.call(`mail__door_${i}`);
  }

  stateOf(session) {
    const all = JSON.parse(this.cli(['session', 'list', '--json']));
    return (Array.isArray(all) ? all : all.sessions).find((x) => x.id === session)?.state;
  }

  incidents(state = 'all') {
    const x = JSON.parse(this.cli(['incident', 'list', '--status', state, '--json']));
    return Array.isArray(x) ? x : x.incidents;
  }

  show(id) {
    return JSON.parse(this.cli(['incident', 'show', id, '--json']));
  }

  role(program) {
    return this.status()?.find((p) => p.program === program && p.state === 'ready');
  }

  // As soon as the role is there; gives what must be waited for.
  kill(program, signal = 'SIGKILL') {
    const was = this.role(program);
    assert(was, `${program} is not there`);
    process.kill(was.pid, signal);
    return () => until(`another ${program}`, () => this.role(program)?.pid !== was.pid && this.role(program));
  }
}

export const refused = (r) => r.http === 403 || /the guardian has paused/.test(JSON.stringify(r));
