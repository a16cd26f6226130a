import { invalid } from '../errors.js';
import type { Kind, NativeOptions } from '../native.js';
import type { ShardOptions } from '../options.js';
import { flag, isBytes, object, oneOf, text, unlike, whole } from './checks.js';

/** Not a public option: the command line uses it to look into the files of all stores. */
const KIND = Symbol.for('warmshard.kind');

/** Checks the types of options, and returns them in the form for the addon. The core checks ranges. */
export function nativeOptions<V>(options: ShardOptions<V>): NativeOptions {
  object('options', options);
  const { host, parts, digest, root } = options;
  if (host !== undefined) {
    object('host', host);
    text('host.name', host.name);
    text('host.version', host.version);
    if (host.schema !== undefined && !(Number.isInteger(host.schema) && host.schema >>> 0 === host.schema))
      throw unlike('host.schema must be a whole number from 0 to 4294967295', host.schema);
    if (host.binary !== undefined && host.binary !== false) text('host.binary', host.binary);
  }
  if (parts !== undefined) {
    if (!Array.isArray(parts)) throw unlike('parts must be an array of names', parts);
    for (const part of parts) text('the name of a part', part);
    // Assigning it to an object would not make a property.
    if (parts.includes('__proto__'))
      throw invalid("a part cannot be named '__proto__'; give it another name");
  }
  const keyed = typeof digest === 'object' && digest !== null;
  if (keyed && !isBytes(digest.key)) throw unlike('digest.key must be a Uint8Array of 32 bytes', digest.key);
  const { durability, verify, access, trust, maxBytes, maxEntryBytes, lockTimeout } = options;
  const { readOnly, copy, autoCompact } = options;
  if (digest !== undefined && !keyed) oneOf('digest', digest, ['xxh3', 'blake3']);
  oneOf('durability', durability, ['flush', 'sync']);
  oneOf('verify', verify, ['first', 'always']);
  oneOf('access', access, ['mmap', 'read']);
  oneOf('trust', trust, ['private', 'group', 'system']);
  whole('maxBytes', maxBytes);
  whole('maxEntryBytes', maxEntryBytes);
  whole('lockTimeout', lockTimeout);
  flag('readOnly', readOnly);
  flag('copy', copy);
  flag('autoCompact', autoCompact);
  if (root !== undefined) text('root', root);
  const binary = host === undefined ? false : (host.binary ?? process.execPath);
  return {
    hostName: host?.name ?? '',
    hostVersion: host?.version ?? '',
    hostSchema: host?.schema,
    hostBinary: binary === false ? undefined : binary,
    parts: parts === undefined ? [''] : [...parts],
    readOnly: readOnly ?? false,
    syncEach: durability === 'sync',
    digest: keyed ? undefined : digest,
    digestKey: keyed ? digest.key : undefined,
    verifyAlways: verify === 'always',
    mapped: access !== 'read',
    maxBytes,
    maxEntryBytes,
    lockTimeout,
    root,
    trust,
    autoCompact: autoCompact ?? true,
    kind: (options as { [KIND]?: Kind })[KIND],
  };
}
