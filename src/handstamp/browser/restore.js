// Runs in an isolated world at the start of every document, before any script of the page, which can see neither this
// nor the data. Writes the saved localStorage, sessionStorage and databases of this document's own storage key, once, and
// never over a value that is there. Databases are asked for first: the page's own open() then waits behind ours.
(({ done, tabs }) => {
  const world = globalThis;
  const origin = world.origin;
  const saved = world.handstampSaved;
  world.handstampSaved = undefined;
  if (world.handstampDone || !saved || !Object.hasOwn(saved, origin)) return;
  world.handstampDone = true;                                // the engine asks for it: this document has been served
  const { site, subdomains, areas } = JSON.parse(saved[origin]);

  const sameSite = (other, wanted, below) => {
    const [scheme, host] = wanted.split('://');
    const url = new URL(other);
    return url.protocol === scheme + ':' && (url.hostname === host || (below && url.hostname.endsWith('.' + host)));
  };
  const ancestors = [...location.ancestorOrigins];
  const top = ancestors[ancestors.length - 1];
  const mine = (area) => {
    if (ancestors.every((ancestor) => ancestor !== 'null' && sameSite(ancestor, site, subdomains))) return area.partition === '';
    if (top === 'null') return false;
    if (sameSite(top, site, subdomains)) return area.partition === '31';
    return area.partition[0] === '0' && sameSite(top, area.partition.slice(1), area.subdomains);
  };

  // A document of this origin was here before us: what is missing now was removed by the page. The list in `done` says
  // so too, but it comes from outside the page and may be some milliseconds late.
  const reaches = (other) => { try { return other().origin === origin; } catch { return false; } };
  const came = world.navigation?.activation?.from?.url;
  const before = (came && new URL(came).origin === origin)
    || (world !== world.parent && reaches(() => world.parent))
    || (world.opener && reaches(() => world.opener));

  const refused = world.handstampRefused = [];               // [scope, tab or null, how many]: told when the engine asks
  const put = (open, { scope, tab, items }) => {
    let storage;
    try { storage = open(); } catch { return; }            // no storage in a sandboxed frame
    let over = 0;
    for (const [key, value] of items) {
      if (storage.getItem(key) !== null) continue;
      try { storage.setItem(key, value); } catch { over += 1; }
    }
    if (over) refused.push([scope, tab, over]);
  };
  for (const area of areas) {
    if (!mine(area)) continue;
    if (area.databases) {                                    // of a document that was left before they were filled nothing stayed
      if (!done.includes('idb:' + area.scope)) world.handstampLibrary().restoreDatabases(area.databases);
    } else if (before) {
      continue;
    } else if (area.tab === null) {
      if (!done.includes(area.scope)) put(() => world.localStorage, area);
    } else if (tabs[area.scope] === area.tab) {
      put(() => world.sessionStorage, area);
    }
  }
})
