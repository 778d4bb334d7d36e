/** `node probe.mjs URL`: exits with 0 if the URL answers with success over verified TLS. The health check. */

import { readFileSync } from "node:fs";
import { get } from "node:https";

/** Characters of an answer that are worth reading. */
const LONGEST = 500;

const [url] = process.argv.slice(2);
const ca = readFileSync(process.env.TLS_CA_FILE);

get(url, { ca, timeout: 4000 }, (response) => {
  response.setEncoding("utf8");
  let said = "";
  response.on("data", (part) => (said += part));
  response.on("end", () => response.statusCode === 200 || fail(`status ${response.statusCode}: ${said.slice(0, LONGEST)}`));
})
  .on("timeout", function () {
    this.destroy(new Error("no answer in time"));
  })
  .on("error", (error) => fail(error.message || error.code));

function fail(reason) {
  process.stderr.write(`${url}: ${reason}\n`);
  process.exitCode = 1;
}
