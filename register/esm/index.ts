import type { Kit } from '../kit.js';

export function esm(kit: Kit): boolean {
  return kit.canImport;
}
