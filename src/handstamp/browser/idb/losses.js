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
