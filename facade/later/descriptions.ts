import type { Handle } from '../handle.js';
import { type NativeEntryInfo, table } from '../native.js';
import type { EntryInfo, ShardStats } from '../reports.js';
import { shutBecause } from './door.js';
import type { Validator } from './meta.js';

/** `Shard.info`. */
export function infoOf({ native, partNames }: Handle, key: string): EntryInfo | undefined {
  const info = table('shard').info(native, key);
  return info == null ? undefined : described(info, partNames);
}

/** `Shard.list`. */
export function listOf({ native, partNames }: Handle): EntryInfo[] {
  return table('shard')
    .list(native)
    .map((info) => described(info, partNames));
}

/** `Shard.stats`. */
export function statsOf({ native, door, memo }: Handle): ShardStats {
  memo?.count();
  const { rejected, ...stats } = table('shard').stats(native);
  const doorShut = shutBecause();
  return {
    ...stats,
    door: door === 0 ? 'node-api' : 'fast',
    ...(doorShut !== undefined && { doorShut }),
    ...(rejected != null && { rejected }),
  };
}

/** An entry's description with the names of its parts. */
function described(info: NativeEntryInfo, partNames: readonly string[]): EntryInfo {
  const validator = decodeValidator(info.validatorKind, info.validator);
  return {
    key: info.key,
    bytes: info.partLens.reduce((sum, len) => sum + len, 0),
    parts: Object.fromEntries(
      info.partLens.map((len, i) => [
        (info.own && partNames[i]) || (info.own && partNames.length === 1 ? '' : String(i)),
        len,
      ]),
    ),
    host: { name: info.hostName, version: info.hostVersion },
    current: info.own,
    cachedAt: new Date(info.cachedMs),
    lastUsedAt: new Date(info.lastUsedMs),
    ...(info.expiresMs !== 0 && { expiresAt: info.expiresMs }),
    ...(validator !== undefined && { validator }),
    racy: info.racy,
    generation: info.generation,
  };
}

/** A stored validator read back. */
function decodeValidator(kind: number, bytes: Uint8Array): Validator | undefined {
  // The stored kinds, as src-rs/core/src/validator.rs numbers them.
  switch (kind) {
    case 1:
    case 2: {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const mtime = { mtimeSec: Number(view.getBigInt64(0, true)), mtimeNsec: view.getUint32(8, true) };
      return kind === 1 ? mtime : { ...mtime, size: Number(view.getBigUint64(12, true)) };
    }
    case 3:
      return { digest: bytes.slice() };
    case 4:
      return bytes.slice();
    default:
      return undefined;
  }
}
