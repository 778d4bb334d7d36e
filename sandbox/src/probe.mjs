/**
 * `node probe.mjs URL [DEADLINE PAUSE ROUNDS LIMIT]`: exits with 0 if the URL answers with success over verified TLS.
 * A round begins after PAUSE seconds, and asks until the URL does or the deadline, in seconds since 1970, is past. After
 * ROUNDS of them, or the first that fails, the probe ends. It waits LIMIT seconds for an answer. The health check.
 */

import { readFileSync } from "node:fs";
import { get } from "node:https";
import { setTimeout } from "node:timers/promises";

/** Characters of an answer that are worth reading. */
const LONGEST = 500;
/** Milliseconds between two requests. */
const PAUSE = 100;

const [url, deadline = "0", pause = "0", rounds = "1", limit = "5"] = process.argv.slice(2);
const ca = readFileSync(process.env.TLS_CA_FILE);

let reason = "";
for (let left = Number(rounds); left > 0 && !reason; left--) {
  await setTimeout(Number(pause) * 1000);
  reason = await ask();
  while (reason && Date.now() < Number(deadline) * 1000) {
    await setTimeout(PAUSE);
    reason = await ask();
  }
}
if (reason) {
  process.stderr.write(`${url}: ${reason}\n`);
  process.exitCode = 1;
}

/** Says why the URL doesn't answer with success; nothing if it does. */
function ask() {
  return new Promise((resolve) => {
    get(url, { agent: false, ca, timeout: Number(limit) * 1000 }, (response) => {
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
