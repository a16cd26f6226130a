/** Indexes of the numbers that describe the module loaded last: see src-rs/binding/stores/loaded.rs. */

export const FLAGS = 0;
/** The number of its bytecode for the compiler; 0 if there is none. */
export const CODE = 1;
/** The number of its source map; 0 if there is none. */
export const MAP = 2;
