// What could not be read, each kind of it once for a store, with the first place and how many.

class Losses {
  constructor() {
    this.found = new Map();
  }

  add(error, where) {
    const lost = error instanceof Lost ? error : new Lost('database', `${error?.name}: ${error?.message}`, true);
    const name = JSON.stringify([lost.what, lost.message, where.database, where.store]);
    const loss = this.found.get(name) ?? { what: lost.what, why: lost.message, passing: lost.passing, path: lost.path ?? '', ...where, count: 0 };
    loss.count += 1;
    this.found.set(name, loss);
    return loss;
  }

  join({ found }) {
    for (const [name, loss] of found) this.found.set(name, loss);
  }

  list() {
    return [...this.found.values()];
  }
}

// What an origin keeps where nobody reads: each is named. A site makes its caches and workers again when it is opened.
async function addUnread(losses) {
  const ask = async (question) => { try { return [...await question() ?? []]; } catch { return []; } };   // not in this kind of document
  const add = (what, path, why) => losses.add(new Lost(what, why), { path });
  for (const name of await ask(() => navigator.storageBuckets?.keys())) add('storage-bucket', name, 'what is in a storage bucket is not read');
  for (const name of await ask(() => globalThis.caches?.keys())) add('cache-storage', name, 'what it keeps in the Cache API is not moved; the site fills it again');
  for (const { scope } of await ask(() => navigator.serviceWorker?.getRegistrations())) {
    add('service-worker', new URL(scope).pathname, 'its registration is not moved; the site registers it again when it is opened');
  }
}
