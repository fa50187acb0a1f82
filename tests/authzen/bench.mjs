// What a question of an application costs, with its record: latency and evaluations a second.
import http from 'node:http';
import { Pdp, question } from './pdp.mjs';

const pdp = new Pdp();
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const one = question('alice', 'read', 'record-1');

const ask = (target, body) => new Promise((resolve, reject) => {
  const headers = { authorization: `Bearer ${pdp.tokens.all}`, 'content-type': 'application/json', 'content-length': body.length };
  const req = http.request({ host: '127.0.0.1', port: pdp.port, path: `/access/v1/${target}`, method: 'POST', agent, headers }, (res) => {
    res.on('error', reject).on('end', () => (res.statusCode === 200 ? resolve() : reject(new Error(`status ${res.statusCode}`)))).resume();
  });
  req.on('error', reject).end(body);
});

async function run(what, target, body, times, callers, each = 1) {
  const text = JSON.stringify(body), taken = [], now = () => Number(process.hrtime.bigint()) / 1e6;
  const began = now();
  let left = times;
  await Promise.all(Array.from({ length: callers }, async () => {
    while (left-- > 0) {
      const start = now();
      await ask(target, text);
      taken.push(now() - start);
    }
  }));
  const seconds = (now() - began) / 1e3, at = (q) => taken[Math.floor(q * (taken.length - 1))].toFixed(2);
  taken.sort((a, b) => a - b);
  console.log(`authzen, ${what}: ${Math.round(times * each / seconds)} evaluations/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}

let status = 0;
try {
  await pdp.start();
  await run('1 caller', 'evaluation', one, 2000, 1);
  await run('64 callers', 'evaluation', one, 20000, 64);
  await run('arrays of 100, 1 caller', 'evaluations', { ...one, evaluations: Array(100).fill({}) }, 200, 1, 100);
} catch (e) {
  console.log(e.stack);
  status = 1;
}
await pdp.stop();
process.exit(status);
