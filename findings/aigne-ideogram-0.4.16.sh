#!/bin/sh
# @aigne/ideogram (npm, 0.4.16) loses all pictures of a call if one of them was not safe, and sends less than was asked.
#
# Seen with Node 20.20 and a local server that answers as Ideogram's v3 does, where each POST buys:
#   1. Of n=2 one picture is not safe: HTTP 200, `is_image_safe` false, `url` null beside a whole one. invoke() throws a
#      ZodError about a null; the other picture, which was paid for, is lost, and nothing says that one was moderated.
#   2. The path of `baseURL` is left out: of https://host/ideogram the call goes to https://host/v1/…, with the key.
#   3. Of `modelOptions`, colorPalette is sent as the text "[object Object]", the list styleCodes as one part "A,B",
#      which is no code, and a seed of 0 not at all; each without an error.
#   4. Each picture is called image/png, and kept as .png, whatever it is.
# So behind this client a server must answer for n=1 alone, at the root of its host; a gateway with prefixes cannot.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @aigne/ideogram@0.4.16
cat >see.mjs <<'NODE'
import fs from 'node:fs/promises';
import http from 'node:http';
import { IdeogramImageModel } from '@aigne/ideogram';

const JPEG = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex');
let seen, safe;
const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', () => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'image/jpeg' });
      return response.end(JPEG);
    }
    const body = Buffer.concat(parts).toString();
    const fields = [...body.matchAll(/name="([^"]+)"\r\n\r\n(.*)\r\n/g)].map(found => `${found[1]}=${found[2]}`);
    seen.push(`${request.url} ${fields.filter(each => !each.startsWith('prompt')).join(' ')}`.trim());
    const url = `${base}/picture`;
    const data = safe.map(is_image_safe => ({ is_image_safe, url: is_image_safe ? url : null, seed: 1, prompt: 'x' }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ created: '2026-11-29T00:00:00Z', data }));
  });
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${server.address().port}`;

async function see(name, input, options = {}, answers = [true]) {
  seen = []; safe = answers;
  const model = new IdeogramImageModel({ apiKey: 'a-key', baseURL: base, ...options });
  const said = await model.invoke({ prompt: 'a harbour', ...input }).then(
    async ({ images }) => {
      const files = await Promise.all(images.map(each => fs.readFile(each.path)));
      return files.map((file, place) => `${images[place].mimeType} of ${file.length} bytes`).join(', ');
    },
    problem => [problem.name, ...(problem.issues ?? []).map(each => `${each.path.at(-1)}: ${each.message}`)].join(': '),
  );
  console.log(`${name}: ${seen.join(', ')}: ${said}`);
}

await see('usual', { n: 2 }, {}, [true, true]);
await see('one of two not safe', { n: 2 }, {}, [true, false]);
await see('a prefix', {}, { baseURL: `${base}/ideogram` });
await see('a palette', {}, { modelOptions: { colorPalette: { name: 'EMBER' } } });
await see('two codes', {}, { modelOptions: { styleCodes: ['AABBCCDD', '00112233'] } });
await see('seed 0', {}, { modelOptions: { seed: 0 } });
await see('seed 1', {}, { modelOptions: { seed: 1 } });
server.closeAllConnections();
process.exit(0);
NODE
TMPDIR="$folder" node see.mjs 2>/dev/null >said
cat said
diff - said <<'SEEN'
usual: /v1/ideogram-v3/generate num_images=2: image/png of 22 bytes, image/png of 22 bytes
one of two not safe: /v1/ideogram-v3/generate num_images=2: ZodError: url: Expected string, received null
a prefix: /v1/ideogram-v3/generate: image/png of 22 bytes
a palette: /v1/ideogram-v3/generate color_palette=[object Object]: image/png of 22 bytes
two codes: /v1/ideogram-v3/generate style_codes=AABBCCDD,00112233: image/png of 22 bytes
seed 0: /v1/ideogram-v3/generate: image/png of 22 bytes
seed 1: /v1/ideogram-v3/generate seed=1: image/png of 22 bytes
SEEN
echo "@aigne/ideogram does what was seen."
