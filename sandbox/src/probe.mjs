/**
 * `node probe.mjs URL [DEADLINE]`: exits with 0 if the URL answers with success over verified TLS. The health check.
 * It asks again until then, or until the deadline, in seconds since 1970, is past.
 */

import { readFileSync } from "node:fs";
import { get } from "node:https";
import { setTimeout } from "node:timers/promises";

/** Characters of an answer that are worth reading. */
const LONGEST = 500;
/** Milliseconds between two requests. */
const PAUSE = 100;

const [url, deadline = "0"] = process.argv.slice(2);
const ca = readFileSync(process.env.TLS_CA_FILE);

let reason = await ask();
while (reason && Date.now() < Number(deadline) * 1000) {
  await setTimeout(PAUSE);
  reason = await ask();
}
if (reason) {
  process.stderr.write(`${url}: ${reason}\n`);
  process.exitCode = 1;
}

/** Says why the URL doesn't answer with success; nothing if it does. */
function ask() {
  return new Promise((resolve) => {
    get(url, { ca, timeout: 4000 }, (response) => {
      response.setEncoding("utf8");
      let said = "";
      response.on("data", (part) => (said += part));
      response.on("end", () =>
        resolve(response.statusCode === 200 ? "" : `status ${response.statusCode}: ${said.slice(0, LONGEST)}`),
      );
    })
      .on("timeout", function () {
        this.destroy(new Error("no answer in time"));
      })
      .on("error", (error) => resolve(error.message || error.code));
  });
}
