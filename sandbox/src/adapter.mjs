/** What oidc-provider remembers, in Redis: its adapter interface as far as the features that are on use it. */

import { createHash } from "node:crypto";

const PREFIX = "sandbox";

/** What is revoked with the grant that it came from. */
const GRANTED = new Set(["AccessToken", "AuthorizationCode", "RefreshToken"]);

/** What one model of oidc-provider is kept by. */
export class Adapter {
  #redis;
  #model;
  #longest;

  /** Keep a model in a Redis; `longest` is the lifetime in seconds that nothing outlives. */
  constructor(redis, model, longest) {
    this.#redis = redis;
    this.#model = model;
    this.#longest = longest;
  }

  async upsert(id, payload, seconds) {
    const lifetime = { expiration: { type: "EX", value: Math.max(1, seconds) } };
    const name = key(this.#model, id);
    const writes = [this.#redis.set(name, JSON.stringify(payload), lifetime)];
    if (this.#model === "Session") writes.push(this.#redis.set(key("uid", payload.uid), id, lifetime));
    if (GRANTED.has(this.#model)) writes.push(...this.#index(payload.grantId, name));
    await Promise.all(writes);
  }

  async find(id) {
    const found = await this.#redis.get(key(this.#model, id));
    return found === null ? undefined : JSON.parse(found);
  }

  async findByUid(uid) {
    const id = await this.#redis.get(key("uid", uid));
    return id === null ? undefined : this.find(id);
  }

  /** Mark as used. What was destroyed meanwhile stays so. */
  async consume(id) {
    const payload = { ...(await this.find(id)), consumed: Math.floor(Date.now() / 1000) };
    await this.#redis.set(key(this.#model, id), JSON.stringify(payload), { condition: "XX", expiration: "KEEPTTL" });
  }

  async destroy(id) {
    await this.#redis.del(key(this.#model, id));
  }

  async revokeByGrantId(grantId) {
    const index = key("grant", grantId);
    await this.#redis.del([...(await this.#redis.sMembers(index)), index]);
  }

  /** Remember what comes from a grant; those that ended meanwhile are forgotten with it. */
  #index(grantId, name) {
    const index = key("grant", grantId);
    return [this.#redis.sAdd(index, name), this.#redis.expire(index, this.#longest)];
  }
}

/** An id is as good as the token or the cookie, and any user of a Redis may list its keys: their names hold digests. */
function key(kind, id) {
  return `${PREFIX}:${kind}:${createHash("sha256").update(id).digest("hex")}`;
}
