// The AuthZEN endpoint of a running tree: the certification scenario, then what it does not ask.
import './scenario.mjs';
import './hostile.mjs';
import { main } from '../e2e/harness.mjs';

await main();
