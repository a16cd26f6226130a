// The check after a fault or a kill: opens the store twice. Each time everything that was acknowledged must be found, new changes
// must work, and the file must pass verification.

/**
 * @param {import('./subjects.mjs').Subject} subject
 * @param {string} dir
 * @param {import('./oracle.mjs').Oracle} oracle
 * @returns {string[]} what is wrong
 */
export function afterwards(subject, dir, oracle) {
  const wrong = [];
  try {
    for (const round of ['first', 'second']) {
      const store = subject.open(dir);
      for (const it of oracle.judge((key) => subject.find(store, key))) wrong.push(`${round} opening: ${it}`);
      const change = { tag: 1000, put: ['afterwards'] };
      subject.apply(store, change);
      oracle.note(change, true);
      subject.keepHouse(store, 0);
      const found = store.verify?.();
      if (found && !found.ok) wrong.push(`${round} opening: ${JSON.stringify(found)}`);
      store.close();
    }
  } catch (error) {
    wrong.push(`opened again: ${/** @type {Error} */ (error).stack}`);
  }
  return wrong;
}
