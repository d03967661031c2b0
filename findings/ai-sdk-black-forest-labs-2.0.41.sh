#!/bin/sh
# The AI SDK (npm: ai 7.0.173, @ai-sdk/black-forest-labs 2.0.41) loses Flux pictures that were ordered and drawn.
#
# Seen with Node 20.20 and a local server that speaks Black Forest Labs' task protocol:
#   1. It knows five words for how a task is: Pending, Ready, Error, Failed, Request Moderated. Any other ends the call with
#      "Invalid JSON response" at the first poll that says it: "Content Moderated" and "Task not found", of the maker's own
#      list, and "Reasoning" and "Generating" of FLUX 3, whose picture is ready a moment later.
#   2. "Request Moderated" is final, and is asked for again until the time is over: 60 s of polls, every 500 ms, by default.
#   3. An order that is answered with `{"id"}` alone, as older gateways do, ends with "Invalid JSON response": never polled.
#   4. `size` is sent as width and height and as aspect_ratio too, and an image of flux-3-image as input_image, although
#      FLUX 3 refuses every field that it does not have (there it is `images`).
# None of these errors is retried by generateImage, so nothing is bought twice; what was bought is lost without its id.
# So whoever serves such tasks to this client has to answer polls in those five words, and give a polling_url.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ai@7.0.173 @ai-sdk/black-forest-labs@2.0.41
cat >see.mjs <<'NODE'
import http from 'node:http';
import { createBlackForestLabs } from '@ai-sdk/black-forest-labs';
import { generateImage } from 'ai';

const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==', 'base64');
let orders, polls, words, answer;
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', part => { body += part; });
  request.on('end', () => {
    const base = `http://127.0.0.1:${server.address().port}`;
    if (request.url === '/picture') return response.end(picture);
    const say = value => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(value));
    };
    if (request.method === 'POST') {
      orders.push(JSON.parse(body));
      return say(answer ?? { id: 'task', polling_url: `${base}/v1/get_result?id=task` });
    }
    const status = words[Math.min(polls++, words.length - 1)];
    say({ id: 'task', status, result: status === 'Ready' ? { sample: `${base}/picture` } : null });
  });
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const flux = createBlackForestLabs({
  baseURL: `http://127.0.0.1:${server.address().port}/v1`,
  apiKey: 'key',
  pollIntervalMillis: 20,
  pollTimeoutMillis: 400,
});

async function see(name, said, { model = 'flux-2-pro', answered, ...more } = {}) {
  orders = []; polls = 0; words = said; answer = answered;
  const ended = await generateImage({ model: flux.image(model), prompt: 'a harbour', ...more })
    .then(result => `${result.images.length} picture`, error => error.message);
  console.log(`${name}: ${orders.length} order, ${polls} polls, ${ended}`);
}

await see('usual', ['Pending', 'Ready']);
await see('moderated late', ['Pending', 'Content Moderated']);
await see('moderated', ['Request Moderated']);
await see('not known yet', ['Task not found', 'Ready']);
await see('FLUX 3', ['Reasoning', 'Generating', 'Ready'], { model: 'flux-3-image' });
await see('an id alone', ['Ready'], { answered: { id: 'task' } });
await see('a size', ['Ready'], { size: '1024x1536' });
console.log(Object.keys(orders[0]).join(' '));
await see('an image', ['Ready'], { model: 'flux-3-image', prompt: { text: 'a boat', images: [picture] } });
console.log(Object.keys(orders[0]).join(' '));
server.close();
process.exit(0);
NODE
node see.mjs 2>/dev/null >said
cat said
diff - said <<'SEEN'
usual: 1 order, 2 polls, 1 picture
moderated late: 1 order, 2 polls, Invalid JSON response
moderated: 1 order, 20 polls, Black Forest Labs generation timed out.
not known yet: 1 order, 1 polls, Invalid JSON response
FLUX 3: 1 order, 1 polls, Invalid JSON response
an id alone: 1 order, 0 polls, Invalid JSON response
a size: 1 order, 1 polls, 1 picture
prompt aspect_ratio width height
an image: 1 order, 1 polls, 1 picture
prompt input_image
SEEN
echo "The AI SDK's Flux does what was seen."
