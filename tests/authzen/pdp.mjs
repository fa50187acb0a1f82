// A Keepgate whose AuthZEN endpoint serves the records' policies, with a proxy before it that speaks TLS for it.
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { Keepgate, assert, equal, freePort, root, until } from '../e2e/harness.mjs';

const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');
const newToken = () => crypto.randomBytes(32).toString('hex');

// Ends TLS and passes bytes on, as a proxy at the edge of a host does.
class TlsProxy {
  constructor(dir, port, target) {
    const file = (name) => path.join(dir, name);
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
      '-subj', '/CN=pdp', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', file('pdp.key'), '-out', file('pdp.pem')], { encoding: 'utf8' });
    equal(made.status, 0, `openssl: ${made.stderr}`);
    this.ca = fs.readFileSync(file('pdp.pem'));
    this.sockets = new Set();
    this.server = tls.createServer({ key: fs.readFileSync(file('pdp.key')), cert: this.ca }, (outer) => {
      const inner = net.connect(target, '127.0.0.1');
      for (const [a, b] of [[outer, inner], [inner, outer]]) {
        this.sockets.add(a);
        a.on('error', () => b.destroy());
        a.on('close', () => { this.sockets.delete(a); b.destroy(); });
        a.pipe(b);
      }
    });
    this.listening = new Promise((r) => this.server.listen(port, '127.0.0.1', r));
  }

  async stop() {
    for (const s of this.sockets) s.destroy();
    await new Promise((r) => this.server.close(r));
  }
}

export class Pdp {
  // callers: name to scope; each gets a token of its own. policies: a folder, or an object of files.
  constructor(callers = { all: { search: true, trusted: true } }, policies = path.join(root, 'tests/authzen/policies')) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepgate-authzen-'));
    this.policies = path.join(this.dir, 'policies');
    if (typeof policies === 'string') fs.cpSync(policies, this.policies, { recursive: true });
    else this.write(policies);
    this.tokens = Object.fromEntries(Object.keys(callers).map((n) => [n, newToken()]));
    this.callers = Object.entries(callers).map(([name, scope]) => ({ name, token_sha256: sha256(this.tokens[name]), ...scope }));
  }

  write(files) {
    fs.mkdirSync(this.policies, { recursive: true });
    for (const [name, text] of Object.entries(files))
      fs.writeFileSync(path.join(this.policies, name), typeof text === 'string' ? text : JSON.stringify(text));
  }

  async start({ good = true } = {}) {
    this.port = await freePort();
    const outside = await freePort();
    this.base = `https://127.0.0.1:${outside}`;
    this.keepgate = new Keepgate({}, {
      policy: { dir: this.policies },
      authzen: { listen: { address: '127.0.0.1', port: this.port }, base_url: this.base, namespace: 'Records', callers: this.callers },
    });
    await this.keepgate.start();
    this.proxy = new TlsProxy(this.dir, outside, this.port);
    await this.proxy.listening;
    this.agent = new https.Agent({ keepAlive: true, ca: this.proxy.ca });
    await until('the policies', async () => {
      const r = await this.post('/access/v1/evaluation', question('alice', 'read', 'record-1'));
      return r.status === 200 && /no valid set/.test(r.text) !== good;
    });
    return this;
  }

  // One request through the proxy: { status, headers, text, json }.
  request(method, target, body, { token = Object.values(this.tokens)[0], headers = {} } = {}) {
    return new Promise((resolve, reject) => {
      const req = https.request(this.base + target, {
        method, agent: this.agent,
        headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }), ...headers },
      }, (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (d) => (text += d)).on('error', reject).on('end', () => {
          let json;
          try { json = JSON.parse(text); } catch { /* an error's sentence */ }
          resolve({ status: res.statusCode, headers: res.headers, text, json });
        });
      });
      req.on('error', reject);
      req.end(body);
    });
  }

  post(target, body, options = {}) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.request('POST', target, text, { ...options, headers: { 'content-type': 'application/json', ...options.headers } });
  }

  get(target, options) {
    return this.request('GET', target, undefined, options);
  }

  // What of the record came from questions, each with its event's members beside it.
  asked() {
    return this.keepgate.audit().map((l) => l.leaf ?? l).filter((l) => l.event === 'authz.asked')
      .flatMap((l) => l.members.asked.map((a) => ({ ...a, policy_sha256: l.members.policy_sha256 })));
  }

  async stop() {
    this.agent?.destroy();
    await this.proxy?.stop();
    const code = await this.keepgate.stop();
    fs.rmSync(this.dir, { recursive: true, force: true });
    return code;
  }
}

export const subject = (id, properties) => ({ type: 'user', id, ...(properties ? { properties } : {}) });
export const action = (name, properties) => ({ name, ...(properties ? { properties } : {}) });
export const resource = (id, properties) => ({ type: 'record', id, ...(properties ? { properties } : {}) });
export const question = (s, a, r) => ({
  subject: typeof s === 'string' ? subject(s) : s,
  action: typeof a === 'string' ? action(a) : a,
  resource: typeof r === 'string' ? resource(r) : r,
});

export function isJson(r, what) {
  equal(r.status, 200, `${what}: ${r.text}`);
  assert(/^application\/json(;|$)/.test(r.headers['content-type'] ?? ''), `${what}: ${r.headers['content-type']}`);
  assert(r.json !== null && typeof r.json === 'object', `${what}: no JSON object: ${r.text}`);
  return r.json;
}

export function isDecision(d, want, what) {
  equal(typeof d.decision, 'boolean', `${what}: decision`);
  if (want !== undefined) equal(d.decision, want, what);
  if (d.context !== undefined) assert(d.context !== null && typeof d.context === 'object' && !Array.isArray(d.context), `${what}: context`);
}
