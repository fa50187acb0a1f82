// All end-to-end tests, in order.
import './clients.mjs';
import './contain.mjs';
import './control.mjs';
import './external.mjs';
import './frozen.mjs';
import './guardian.mjs';
import './http.mjs';
import './inspect.mjs';
import './names.mjs';
import './opal.mjs';
import './outbox.mjs';
import './pager.mjs';
import './policy.mjs';
import './risk.mjs';
import './revoke.mjs';
import './samples.mjs';
import './secrets.mjs';
import './steps.mjs';
import './swap.mjs';
import { main } from './harness.mjs';

await main();
