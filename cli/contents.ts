/** The commands `stats`, `list` and `verify`. */

import { existsSync } from 'node:fs';
import type { EntryInfo, ShardStats, VerifyReport } from '../index.js';
import { openAny } from './open.js';

type Warmshard = typeof import('../index.js');

/** The result of a command. */
export interface Answer {
  /** For `--json`. */
  json: unknown;
  /** For people. */
  text: string;
  /** Whether nothing is wrong. */
  ok: boolean;
  /** Whether the file could not be looked at; the text says why. */
  refused?: boolean;
}

const MINUTE_MS = 60_000;
const KB = 1000;

/** A time in the local time zone. */
function localTime(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * MINUTE_MS);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

const kilobytes = (bytes: number) => (bytes / KB).toFixed(1);

/** A table whose columns are aligned, those in `right` to the right. The last column is not padded. */
function aligned(rows: string[][], right: readonly number[]): string {
  // Not `Math.max(...)`: a shard may have more rows than a call can have arguments.
  const width = (column: number) => rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0);
  const widths = (rows[0] ?? []).map((_, column) => width(column));
  const cell = (text: string, column: number) => {
    if (right.includes(column)) return text.padStart(widths[column] ?? 0);
    return column === widths.length - 1 ? text : text.padEnd(widths[column] ?? 0);
  };
  return rows.map((row) => row.map(cell).join('  ')).join('\n');
}

const hostOf = ({ host }: EntryInfo) => `${host.name} ${host.version}`.trim() || '-';
/** A key for a terminal, which would obey the control characters in it. */
const shown = (key: string) =>
  key.replace(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

function statsAsText(path: string, kind: string | undefined, stats: ShardStats): string {
  const rows = Object.entries({ file: path, kind, ...stats })
    // All others are counters of the handle, and this one has done nothing.
    .filter(([name, value]) => value !== undefined && SAID.includes(name))
    .map(([name, value]) => [`${name}:`, `${value}`]);
  return aligned(rows, []);
}
const SAID = [
  'file',
  'kind',
  'entries',
  'liveBytes',
  'fileBytes',
  'deadBytes',
  'indexBytes',
  'indexSnapshots',
  'tailEntries',
  'generation',
  'rejected',
];

function listAsText(entries: EntryInfo[]): string {
  const head = ['kB', 'host', 'cached at', 'key'];
  const rows = entries.map((entry) => [
    kilobytes(entry.bytes),
    hostOf(entry),
    localTime(entry.cachedAt),
    shown(entry.key),
  ]);
  return aligned([head, ...rows], [0]);
}

function verifyAsText(path: string, { faults, ...report }: VerifyReport): string {
  const found = `${report.entries} live entries, ${report.records} records, ${report.frames} frames`;
  if (report.ok) return `${path}: nothing is wrong (${found})`;
  const lines = faults.map(({ offset, key, reason }) => {
    const about = key === undefined ? '' : ` (${shown(key)})`;
    return `! at byte ${offset}: ${reason}${about}`;
  });
  return [`${path}: damaged (${found})`, ...lines].join('\n');
}

/** Writes the bytes of a validator as hex digits. */
const plain = (_: string, value: unknown) =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value, plain));

/** Looks into a file of any store, and changes nothing. Throws if there is no such file, or it cannot be used. */
export function contents(warmshard: Warmshard, command: 'stats' | 'list' | 'verify', path: string): Answer {
  if (!existsSync(path)) throw new Error(`there is no file ${path}`);
  const { shard, kind } = openAny(warmshard, path);
  try {
    const stats = shard.stats();
    if (command === 'stats') {
      const counts = Object.entries(stats).filter(([name]) => SAID.includes(name));
      const json = { path: shard.path, kind, ...Object.fromEntries(counts) };
      return { json, text: statsAsText(shard.path, kind, stats), ok: stats.rejected === undefined };
    }
    if (stats.rejected !== undefined) throw new Error(`${shard.path} reads as empty (${stats.rejected})`);
    if (command === 'list') {
      const entries = shard.list();
      return { json: asJson(entries), text: listAsText(entries), ok: true };
    }
    const report = shard.verify();
    return { json: asJson(report), text: verifyAsText(shard.path, report), ok: report.ok };
  } finally {
    shard.close();
  }
}
