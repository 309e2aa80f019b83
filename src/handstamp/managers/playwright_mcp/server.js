// Runs in the Playwright MCP server, once for each message: `page` is that of its current tab. What a message asks and what comes of
// it is sealed, since hosts keep transcripts. Keys and names live at the context, and end with it.
async (page, message) => {
  // Older servers do not give these to the code that they run; Playwright's own objects come from where they are.
  const {crypto, Buffer} = globalThis.crypto ? globalThis : page.constructor.constructor('return globalThis')();
  if (crypto === undefined) return `handstamp-old:${message.id}`;
  const {subtle} = crypto, context = page.context(), hidden = Symbol.for('handstamp');
  if (!Object.hasOwn(context, hidden)) {
    Object.defineProperty(context, hidden, {value: {keys: new Map(), names: new WeakMap(), handles: new Map(), count: 0}});
  }
  const kept = context[hidden], bytes = (text) => Buffer.from(text, 'base64'), curve = {name: 'ECDH', namedCurve: 'P-256'};

  if (message.greeting !== undefined) {
    const own = await subtle.generateKey(curve, false, ['deriveBits']);
    const theirs = await subtle.importKey('raw', bytes(message.greeting), curve, false, []);
    const shared = await subtle.deriveBits({name: 'ECDH', public: theirs}, own.privateKey, 256);
    const derivation = {name: 'HKDF', hash: 'SHA-256', salt: Buffer.alloc(0), info: Buffer.from(message.id)};
    const material = await subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
    kept.keys.set(message.id, await subtle.deriveKey(derivation, material, {name: 'AES-GCM', length: 256}, false, ['encrypt', 'decrypt']));
    return `handstamp-key:${Buffer.from(await subtle.exportKey('raw', own.publicKey)).toString('base64')}`;
  }
  const key = kept.keys.get(message.id);
  if (key === undefined) return `handstamp-stranger:${message.id}`;
  const cipher = (iv, direction) => ({name: 'AES-GCM', iv, additionalData: Buffer.from(direction)});

  const named = (one) => {
    if (!kept.names.has(one)) kept.names.set(one, `page-${++kept.count}`);
    return kept.names.get(one);
  };
  const pageCalled = (name) => {
    const found = context.pages().find((one) => named(one) === name);
    if (found === undefined) throw new Error('the page has been closed');
    return found;
  };
  // Playwright sends a function by its text; what the text says is worked out in the page, as Playwright for Python has it.
  const inPage = (text) => (0, eval)(`(given) => { const value = (${text}); return typeof value === 'function' ? value(given) : value; }`);
  const steps = {
    cookies: () => context.cookies(),
    addCookies: (cookies) => context.addCookies(cookies),
    storageState: () => context.storageState(),
    newPage: async (name) => void kept.names.set(await context.newPage(), name),
    answerAll: (name, answer) => pageCalled(name).route('**/*', (route) => route.fulfill(answer)),
    goto: async (name, url) => void await pageCalled(name).goto(url),
    close: (name) => context.pages().find((one) => named(one) === name)?.close(),
    evaluate: (name, text, handle) => pageCalled(name).evaluate(inPage(text), kept.handles.get(handle)),
    hold: async (name, text, handle) => void kept.handles.set(handle, await pageCalled(name).evaluateHandle(inPage(text))),
    release: async (handle) => {
      const held = kept.handles.get(handle);
      kept.handles.delete(handle);
      await held?.dispose().catch(() => {});  // its document has gone, and it with it
    },
  };
  const answer = {value: null};
  try {
    const asked = bytes(message.sealed);
    const todo = JSON.parse(Buffer.from(await subtle.decrypt(cipher(asked.subarray(0, 12), 'to'), key, asked.subarray(12))).toString());
    for (const [step, ...given] of todo) answer.value = await steps[step](...given) ?? null;
  } catch (error) {
    answer.error = String(error?.message ?? error);
  }
  answer.pages = context.pages().map((one) => [named(one), one.url(), one.viewportSize()]);
  answer.current = named(page);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await subtle.encrypt(cipher(iv, 'from'), key, Buffer.from(JSON.stringify(answer)));
  return `handstamp-sealed:${Buffer.concat([iv, Buffer.from(sealed)]).toString('base64')}`;
}
