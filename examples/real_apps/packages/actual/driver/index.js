// better-sqlite3 as the app knows it, on a driver whose binary comes inside its package: nothing is compiled or fetched besides.
const Database = require("libsql");

module.exports = class extends Database {
  transaction(work) {
    const alone = super.transaction(work);
    return (...given) => (this.inTransaction ? work(...given) : alone(...given)); // one within another is a part of it
  }
};
