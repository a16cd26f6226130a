import type { Diagnosis } from './doctor.js';

const line = (name: string, text: string) => `${`${name}:`.padEnd(12)}${text}`;
const below = (texts: readonly string[]) => texts.map((text) => `${' '.repeat(12)}${text}`);

/** A diagnosis as text. */
export function asText(found: Diagnosis): string {
  const { platform, versions, binary, fastDoor, roundTrip, shard, problems } = found;
  const lines = [
    line('warmshard', `${versions.package}, binary ${versions.binary ?? 'not loaded'}`),
    line('runtime', `${found.runtime} (Node.js ${platform.node}, ABI ${platform.abi})`),
    line('platform', `${platform.triple}: ${platform.system}, ${platform.libc}`),
    line('binary', binary.path ?? 'none'),
    ...(binary.tried.length > 0 ? [line('tried', ''), ...below(binary.tried)] : []),
  ];
  if (fastDoor !== undefined)
    lines.push(line('fast door', fastDoor.open ? 'open' : `shut: ${fastDoor.reason ?? 'reason unknown'}`));
  if (roundTrip !== undefined)
    lines.push(
      line(
        'round trip',
        roundTrip.ok ? `works${roundTrip.mapped ? ', mapped' : ''}` : `${roundTrip.problem}`,
      ),
    );
  if (shard !== undefined) {
    const size = shard.entries === undefined ? 'absent' : `${shard.entries} entries, ${shard.bytes} bytes`;
    const folder = `${shard.folder}, ${shard.writable ? 'writable' : 'not writable'}`;
    lines.push(line('shard', `${shard.path}: ${size}`));
    lines.push(line('folder', shard.fileSystem === undefined ? folder : `${folder}, ${shard.fileSystem}`));
    lines.push(...below(shard.notes));
  }
  lines.push(
    ...(problems.length === 0 ? ['Everything works.'] : ['', ...problems.map((text) => `! ${text}`)]),
  );
  return lines.join('\n');
}
