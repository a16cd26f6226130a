/** Words in which the addon tells of a module that it has loaded: see src-rs/binding/stores/loaded.rs. */

export const FLAGS = 0;
/** The number of its bytecode for the compiler; 0 where there is none. */
export const CODE = 1;
/** The number of its map; 0 where there is none. */
export const MAP = 2;
