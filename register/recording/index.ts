/** Recording: a separate bundle, loaded only if something is not in the shard yet. */

import { invalid } from '../../facade/errors.js';
import type { Kit } from '../kit.js';
import { Capture } from './capture.js';
import { Compiler } from './compiler.js';
import { learnFrames } from './learn-frames.js';

/** What recording offers to the hooks. */
export interface Recording {
  capture: Capture;
  compiler: Compiler;
  learnFrames: typeof learnFrames;
  /** An error for an argument that is not what it should be. */
  invalid: typeof invalid;
}

export function recording(kit: Kit): Recording {
  const capture = new Capture(kit);
  return { capture, compiler: new Compiler(kit, capture), learnFrames, invalid };
}
