#!/bin/sh
# The AI SDK (npm: ai 6.0.326, @ai-sdk/openai 3.0.141) orders pictures again, or at once, without a mark to tell by.
#
# Seen with Node 20.20 and a local server that answers as each case says:
#   1. After a cut connection, 409, 429 or 5xx generateImage sends the same request twice more, by default; it ignores
#      `x-should-retry: false`, which OpenAI's own clients obey. 424 is not repeated.
#   2. A repeat has the same headers and body as a second wish: no Idempotency-Key, no count of retries.
#   3. `n: 4` of a model that it does not know is sent as four equal requests at the same moment.
#   4. If one of these four fails, generateImage throws, and the three pictures that arrived are lost to the caller.
# So a server that bills by picture cannot tell a repeat from a wish by the request alone: it needs to know which of its
# answers were delivered, and a status that is not repeated for what goes on.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ai@6.0.326 @ai-sdk/openai@3.0.141
cat >see.mjs <<'NODE'
import http from 'node:http';
import { createOpenAI } from '@ai-sdk/openai';
import { generateImage } from 'ai';

const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==', 'base64');
let seen = [], answer;
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', part => { body += part; });
  request.on('end', () => {
    seen.push({ at: Date.now(), body, headers: request.headers });
    answer(request, response, seen.length);
  });
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const provider = createOpenAI({ baseURL: `http://127.0.0.1:${server.address().port}/v1`, apiKey: 'key' });

const drawn = response => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ created: 1, data: [{ b64_json: picture.toString('base64') }] }));
};
const refused = status => (_request, response) => {
  response.writeHead(status, { 'content-type': 'application/json', 'x-should-retry': 'false' });
  response.end(JSON.stringify({ error: { message: 'no', type: 'server_error', param: null, code: 'no' } }));
};

async function see(how, n = 1) {
  seen = [];
  answer = how;
  const ended = await generateImage({ model: provider.imageModel('a-model'), prompt: 'a harbour', n })
    .then(result => `${result.images.length} pictures`, error => error.name);
  const { body, headers } = seen[0];
  const same = seen.every(one => one.body === body && JSON.stringify(one.headers) === JSON.stringify(headers));
  return `${seen.length} requests, ${same ? 'all the same' : 'not the same'}, ${ended}`;
}

console.log('cut', await see(request => request.socket.destroy()));
for (const status of [409, 429, 500, 503, 424]) console.log(status, await see(refused(status)));
console.log('n: 4', await see((_request, response) => drawn(response), 4));
console.log('spread', seen.at(-1).at - seen[0].at < 1000 ? 'at once' : 'one after the other');
console.log('key', seen.some(one => one.headers['idempotency-key']) ? 'sent' : 'none');
console.log('one of 4 fails', await see((request, response, count) => count === 2 ? refused(424)(request, response) : drawn(response), 4));
server.close();
process.exit(0);
NODE
node see.mjs 2>/dev/null >said
cat said
diff - said <<'SEEN'
cut 3 requests, all the same, AI_RetryError
409 3 requests, all the same, AI_RetryError
429 3 requests, all the same, AI_RetryError
500 3 requests, all the same, AI_RetryError
503 3 requests, all the same, AI_RetryError
424 1 requests, all the same, AI_APICallError
n: 4 4 requests, all the same, 4 pictures
spread at once
key none
one of 4 fails 4 requests, all the same, AI_APICallError
SEEN
echo "The AI SDK does what was seen."
