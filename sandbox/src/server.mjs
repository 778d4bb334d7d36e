/** An OpenID provider for development and tests, over HTTPS: anyone may log in under any name. */

import { readFileSync } from "node:fs";
import { createServer } from "node:https";

import { StartError, reasonOf } from "./errors.mjs";
import { interact, isInteraction } from "./interactions.mjs";
import { log } from "./log.mjs";
import { errorPage, startPage } from "./pages.mjs";
import { load } from "./settings.mjs";
import { send, sendPage } from "./web.mjs";

const STYLE = readFileSync(new URL("./style.css", import.meta.url));

/** Of TLS 1.2: authenticated encryption with forward secrecy alone (RFC 9325, 4.2). TLS 1.3 has no other. */
const CIPHERS = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20";

/** Milliseconds that open requests have to end in, well below the grace that the engine gives. */
const GRACE = 5000;

function handler(provider, redis, callback) {
  const authorizationServer = provider.callback();
  return async (request, response) => {
    const path = request.url.split("?", 1)[0];
    try {
      if (path === "/health") await answerHealth(redis, response);
      else if (path === "/style.css") send(response, 200, "text/css", STYLE);
      else if (path === "/") sendPage(response, 200, startPage(callback));
      else if (isInteraction(path)) await interact(provider, request, response, path);
      else authorizationServer(request, response);
    } catch (error) {
      fail(response, error);
    }
  };
}

/** The sandbox is as healthy as its Redis: without it, it can answer nobody. */
async function answerHealth(redis, response) {
  const reason = await redis.ping().then(() => undefined, reasonOf);
  const health = reason ? { status: "unavailable", reason: `Redis: ${reason}` } : { status: "ok" };
  send(response, reason ? 503 : 200, "application/json", JSON.stringify(health));
}

function fail(response, error) {
  const expected = error.statusCode >= 400 && error.statusCode < 500;
  if (!expected) log("error", "server_error", { error: error.name, detail: error.message });
  const reason = expected ? (error.error_description ?? error.message) : "The sandbox failed; its log says why.";
  sendPage(response, expected ? error.statusCode : 500, errorPage(reason));
}

function stop(server, signal) {
  log("info", "stopping", { signal });
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), GRACE).unref();
}

async function main() {
  const settings = load(process.env);
  const server = createServer({ cert: settings.certificate, key: settings.key, minVersion: "TLSv1.2", ciphers: CIPHERS });
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => stop(server, signal));
  server.once("error", refuse);
  // What follows takes most of the start, and isn't needed to refuse it.
  const { openStore } = await import("./store.mjs");
  const [redis, { createProvider }] = await Promise.all([openStore(settings.redis), import("./provider.mjs")]);
  server.on("request", handler(createProvider(settings, redis), redis, settings.redirectUri));
  server.listen(settings.port, () => {
    log("info", "listening", { port: server.address().port, issuer: settings.issuer });
  });
}

/** End with one line that says why. */
function refuse(error) {
  const reason = error instanceof StartError ? error.message : `${error.name}: ${error.message}`;
  process.stderr.write(`The sandbox provider does not start: ${reason.replaceAll("\n", " ")}\n`);
  process.exit(1);
}

main().catch(refuse);
