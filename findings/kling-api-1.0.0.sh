#!/bin/sh
# kling-api (npm, 1.0.0) orders a Kling picture three times when the answer is late, and takes refusals for orders.
#
# Seen with Node 20.20 and a local server that speaks Kling's task protocol, where each POST buys:
#   1. generateImage posts the same order three times if no answer comes within its timeout (30 s), and after HTTP 502, 503
#      and 504: each may have been bought. Nothing in the order tells a repeat from a wish (no external_task_id).
#   2. What may be repeated safely is not: 429 with code 1302 (too fast), and any error of a poll: waitForImageResult ends
#      at one HTTP 500, while the picture is being drawn and is paid for.
#   3. Kling's code decides, also within HTTP 200. generateImage resolves with code 1301 (moderated) or 1102 (no money) as
#      with an order, and waitForImageResult ends with "Cannot read properties of undefined" at a code in a poll.
#   4. A task that failed for its content is thrown with the code 5000 (internal error); the words alone tell.
# So behind this client a server must answer an order at once, and refuse with an HTTP status, never with 502 to 504.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund kling-api@1.0.0
cat >see.mjs <<'NODE'
import http from 'node:http';
import { KlingAPI } from 'kling-api';

let seen, answers;
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', part => { body += part; });
  request.on('end', () => {
    seen.push(request.method + body);
    const [status, value] = answers.length > 1 ? answers.shift() : answers[0];
    if (!status) return;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ request_id: 'r', ...value }));
  });
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const kling = new KlingAPI({ accessKey: 'access', secretKey: 'secret' });
kling.client.defaults.baseURL = `http://127.0.0.1:${server.address().port}`; // the setting takes https alone
kling.client.defaults.timeout = 300;

const order = () => kling.generateImage({ prompt: 'a harbour' });
const wait = () => kling.waitForImageResult('t', undefined, { interval: 20, timeout: 2000, showSpinner: false });
const error = (status, code, message) => [status, { code, message }];
const task = (task_status, task_status_msg) => [200, { code: 0, data: { task_id: 't', task_status, task_status_msg } }];

async function see(name, said, act = order) {
  seen = []; answers = said;
  const ended = await act().then(
    result => `resolved with code ${result.code}`,
    problem => `${problem.name} ${problem.code ?? ''} ${problem.message}`,
  );
  const same = new Set(seen).size === 1 ? 'equal ' : '';
  console.log(`${name}: ${seen.length} ${same}${seen[0].startsWith('GET') ? 'polls' : 'orders'}, ${ended}`);
}

await see('usual', [task('submitted')]);
await see('late', [[0]]);
await see('503', [error(503, 5001, 'maintenance')]);
await see('504', [error(504, 5002, 'backlog')]);
await see('500', [error(500, 5000, 'internal')]);
await see('too fast', [error(429, 1302, 'too fast')]);
await see('moderated in 200', [error(200, 1301, 'risk control')]);
await see('unpaid in 200', [error(200, 1102, 'balance')]);
await see('wait', [task('processing'), task('succeed')], wait);
await see('wait, 500 once', [task('processing'), error(500, 5000, 'internal'), task('succeed')], wait);
await see('wait, code in 200', [task('processing'), error(200, 5002, 'backlog'), task('succeed')], wait);
await see('moderated late', [task('failed', 'Failure to pass the risk control system')], wait);
server.closeAllConnections();
process.exit(0);
NODE
node see.mjs 2>/dev/null >said
cat said
diff - said <<'SEEN'
usual: 1 equal orders, resolved with code 0
late: 3 equal orders, KlingAPIError 5001 Request timeout
503: 3 equal orders, KlingAPIError 5001 maintenance
504: 3 equal orders, KlingAPIError 5002 backlog
500: 1 equal orders, KlingAPIError 5000 internal
too fast: 1 equal orders, KlingAPIError 1302 too fast
moderated in 200: 1 equal orders, resolved with code 1301
unpaid in 200: 1 equal orders, resolved with code 1102
wait: 2 equal polls, resolved with code 0
wait, 500 once: 2 equal polls, KlingAPIError 5000 internal
wait, code in 200: 2 equal polls, TypeError  Cannot read properties of undefined (reading 'task_status')
moderated late: 1 equal polls, KlingAPIError 5000 Failure to pass the risk control system
SEEN
echo "kling-api does what was seen."
