// A long answer in pieces: facts are made one after the other and handed out as texts of bounded length, each
// {"facts":[…],"more":true|false}. A small answer is one piece. A new answer ends one that was not fetched to its end.

const PIECE = 4 << 20;                                       // characters after which a piece is full; one fact may be longer

const answers = { now: null };

async function firstPiece(facts) {
  const earlier = answers.now;
  answers.now = facts;
  await earlier?.return();
  return nextPiece();
}

async function nextPiece() {
  const texts = [];
  const facts = answers.now;
  let [length, more] = [0, facts !== null];
  while (more && length < PIECE) {
    const { value, done } = await facts.next();
    if (done) {
      more = false;
      if (answers.now === facts) answers.now = null;
      break;
    }
    const text = JSON.stringify(value);
    texts.push(text);
    length += text.length;
  }
  return `{"facts":[${texts.join()}],"more":${more}}`;
}
