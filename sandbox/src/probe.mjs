/** `node probe.mjs URL`: exits with 0 if the URL answers with success over verified TLS. The health check. */

import { readFileSync } from "node:fs";
import { get } from "node:https";

const [url] = process.argv.slice(2);
const ca = readFileSync(process.env.TLS_CA_FILE);

get(url, { ca, timeout: 4000 }, (response) => {
  response.resume();
  if (response.statusCode !== 200) fail(`status ${response.statusCode}`);
})
  .on("timeout", function () {
    this.destroy(new Error("no answer in time"));
  })
  .on("error", (error) => fail(error.message));

function fail(reason) {
  process.stderr.write(`${url}: ${reason}\n`);
  process.exitCode = 1;
}
