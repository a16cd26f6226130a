/**
 * @param {string} folder
 * @param {import('./index.mjs').StoreOptions} options
 * @returns {Promise<import('./index.mjs').Store>}
 */
export async function openLevel(folder, { sync = false }) {
  const { ClassicLevel } = await import('classic-level');
  /** @type {InstanceType<typeof ClassicLevel<string, Uint8Array>>} */
  const db = new ClassicLevel(folder, { valueEncoding: 'view' });
  await db.open();
  return {
    get: (key) => db.getSync(key),
    put: (key, value) => db.put(key, value, { sync }),
    load: (entries) => db.batch(entries.map(([key, value]) => ({ type: 'put', key, value }))),
    compact: () => db.compactRange('', '\uffff'),
    close: () => db.close(),
  };
}
