// The process of one contender: it prepares the tasks of its case, then runs one round for each message.
//
//   node child.mjs CASE SPEC      (with an IPC channel)

const [, , caseName = '', spec = '{}'] = process.argv;

/** @param {object} message */
const tell = (message) => process.send?.(message);

/** @param {unknown} error */
const failure = (error) => ({ failed: error instanceof Error ? error.message : String(error) });

try {
  const { inChild } = await import(`./cases/${caseName}.mjs`);
  /** @type {import('./lib/contenders.mjs').Work} */
  const work = await inChild(JSON.parse(spec));
  /** @type {Record<string, import('./lib/contenders.mjs').Round>} */
  const rounds = {};
  process.on('message', async (/** @type {{ task: string }} */ { task }) => {
    try {
      rounds[task] ??= await /** @type {() => Promise<any>} */ (work.tasks[task])();
      tell({ value: await rounds[task]?.() });
    } catch (error) {
      tell(failure(error));
    }
  });
  process.on('disconnect', async () => {
    await work.close?.();
    process.exit(0);
  });
  tell({ tasks: Object.keys(work.tasks), info: work.info });
} catch (error) {
  tell(failure(error));
  process.exitCode = 1;
  process.disconnect?.();
}
