// What can be called from outside. Texts go in and out, because only text carries every character that a name may have.

const staged = [];

return {
  capture: (options) => firstPiece(captureFacts(options)),
  captureFiles: (options) => firstPiece(opfsFacts(options)),
  more: nextPiece,
  restore: async (dumps) => JSON.stringify(await restoreDatabases(dumps)),
  restoreAbsent: async (dumps) => JSON.stringify(await restoreAbsent(dumps)),
  restoreFiles: async (entries) => JSON.stringify(await restoreFiles(entries)),
  report: () => JSON.stringify(restoreReport()),
  ended: async () => JSON.stringify(await restoresEnded()),
  stage: (text) => staged.push(text),                        // for what is too long for one message: pieces of JSON, then take
  take: () => JSON.parse(staged.splice(0).join('')),
};
