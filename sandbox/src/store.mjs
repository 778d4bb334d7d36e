/** The Redis that keeps what people decided: over verified TLS, as a user who reaches the sandbox's own keys alone. */

import { createClient } from "@redis/client";

import { StartError, reasonOf } from "./errors.mjs";
import { log } from "./log.mjs";

/** Milliseconds that a command waits for a connection: a request outlasts a short restart of Redis. */
const PATIENCE = 2000;

/** Milliseconds for one attempt to connect, and between two. */
const ATTEMPT = 5000;
const PAUSE = 100;

/** Milliseconds after which a connection that says nothing is given up, and between two pings that make it say something. */
const SILENCE = 15_000;
const PING = 5000;

/** Connect, and return the client, which connects again by itself; throw a StartError if Redis isn't ready in time. */
export async function openStore({ host, port, db, user, password, ca, startTimeout }) {
  const deadline = Date.now() + startTimeout * 1000;
  let started = false;
  const client = createClient({
    username: user,
    password,
    database: db,
    name: user,
    commandOptions: { timeout: PATIENCE },
    pingInterval: PING,
    disableClientInfo: true,
    maintNotifications: "disabled",
    socket: {
      host,
      port,
      tls: true,
      ca,
      connectTimeout: ATTEMPT,
      socketTimeout: SILENCE,
      reconnectStrategy: () => (started || Date.now() < deadline ? PAUSE : false),
    },
  });
  tell(client);
  try {
    await client.connect();
  } catch (error) {
    throw new StartError(`Redis at ${host}:${port} is not ready after ${startTimeout} s: ${reasonOf(error)}`);
  }
  started = true;
  return client;
}

/** Log what keeps the client from Redis whenever that changes, and that it is over. */
function tell(client) {
  let told = "";
  client.on("error", (error) => {
    const reason = reasonOf(error);
    if (reason !== told) log("warning", "waiting for Redis", { reason });
    told = reason;
  });
  client.on("ready", () => {
    if (told) log("info", "Redis is ready");
    told = "";
  });
}
