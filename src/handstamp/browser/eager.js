// The eager way's script at the start of every document. It runs in the page's own world, so it leaves nothing there. Writes what
// is saved of the document's origin and not there, unless a document of that origin was here before: then the page removed it.
((saved, library) => {
  if (globalThis !== globalThis.top || !Object.hasOwn(saved, origin)) return;
  const came = globalThis.navigation?.activation?.from?.url;
  if (came && new URL(came).origin === origin) return;
  try { if (globalThis.opener?.origin === origin) return; } catch { /* of another origin */ }
  if (saved[origin].databases.length > 0) {  // first, so that the page's own open() waits behind ours
    library().restore(saved[origin].databases);
    delete globalThis.handstampStorage;
  }
  const put = (open, items) => {
    for (const [key, value] of items) try { if (open().getItem(key) === null) open().setItem(key, value); } catch { /* no storage, or full */ }
  };
  put(() => localStorage, saved[origin].local);
  put(() => sessionStorage, saved[origin].session);
})
