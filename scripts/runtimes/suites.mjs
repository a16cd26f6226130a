// What of the suite runs in a guest.

/** The files of a guest's suite; none: all of them. @param {import('./guest.mjs').Guest} _guest @returns {string[]} */
export const suiteFor = (_guest) => (process.env.SUITE_FILES ?? '').split(' ').filter(Boolean);
