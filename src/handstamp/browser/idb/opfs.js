// The origin private file system: read as facts, {path, type, data}, and written back where nothing is. Its dates cannot be set, so
// they are not kept; size and date only tell that a file has not changed since it was read.

const FRESH = 2000;                                          // milliseconds: a file this young may change again within one tick of its date

async function* opfsFacts({ known, mostOfFile, mostOfAll }) {
  const losses = new Losses();
  const signs = new Map(known.map(([path, size, modified]) => [path, [size, modified]]));
  const state = { signs, mostOfFile, left: mostOfAll, losses };
  const listing = [];
  const root = navigator.storage ? await navigator.storage.getDirectory() : null;   // only where the context is secure
  for await (const { path, handle } of root ? walk(root, '') : []) {
    listing.push(path);
    if (handle.kind === 'directory') yield { path, type: 'directory' };
    else yield await fileFact(path, handle, state);
  }
  await addUnread(losses);
  yield { listing, losses: losses.list() };
}

async function* walk(directory, above) {
  const entries = [];
  for await (const entry of directory.entries()) entries.push(entry);
  entries.sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [name, handle] of entries) {
    const path = above + name;
    yield { path, handle };
    if (handle.kind === 'directory') yield* walk(handle, `${path}/`);
  }
}

async function fileFact(path, handle, state) {
  const fact = { path, type: 'file' };
  try {
    const file = await handle.getFile();
    const before = state.signs.get(path);
    if (before && before[0] === file.size && before[1] === file.lastModified) return { ...fact, same: true, sign: before };
    state.left -= file.size;
    if (file.size > state.mostOfFile || state.left < 0) throw new Lost('opfs-file', 'it is bigger than what is kept');
    fact.data = toBase64(await file.arrayBuffer());
    if (Date.now() - file.lastModified > FRESH) fact.sign = [file.size, file.lastModified];
    return fact;
  } catch (error) {
    const lost = error instanceof Lost ? error : new Lost('opfs-file', `it cannot be read now (${error?.name})`, true);
    state.losses.add(lost, { path });
    return { ...fact, kept: lost.passing };
  }
}

async function restoreFiles(entries) {
  const report = { restored: 0, there: 0, failed: [] };
  for (const { path, type, data } of entries) {
    try {
      const root = await navigator.storage.getDirectory();
      const made = type === 'directory' ? await folder(root, path.split('/')) !== null : await makeFile(root, path, data);
      report[made ? 'restored' : 'there'] += 1;
    } catch (error) {
      report.failed.push([path, error?.name ?? 'Error']);
    }
  }
  return report;
}

async function folder(root, names) {
  let directory = root;
  for (const name of names) directory = await directory.getDirectoryHandle(name, { create: true });
  return directory;
}

// Whether it was made; false when there is one already.
async function makeFile(root, path, data) {
  const names = path.split('/');
  const name = names.pop();
  const directory = await folder(root, names);
  try {
    await directory.getFileHandle(name);
    return false;
  } catch (error) {
    if (error.name !== 'NotFoundError') throw error;
  }
  const handle = await directory.getFileHandle(name, { create: true });
  try {
    const writable = await handle.createWritable();          // takes effect as a whole when it is closed
    await writable.write(fromBase64(data));
    await writable.close();
  } catch (error) {
    await directory.removeEntry(name);
    throw error;
  }
  return true;
}
