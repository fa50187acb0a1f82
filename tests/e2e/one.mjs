// One file of tests alone: node tests/e2e/one.mjs policy
import { main } from './harness.mjs';

await import(`./${process.argv[2]}.mjs`);
await main();
