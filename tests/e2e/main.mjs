// All end-to-end tests, in order.
import './clients.mjs';
import './control.mjs';
import './http.mjs';
import { main } from './harness.mjs';

await main();
